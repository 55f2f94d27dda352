// One label rule of an operator: which columns it means, by name, by type, by the column's comment, or by several of these
// at once.
import type { Label } from '../domain/label.ts';
import { fits } from './wildcard.ts';

/** Every key that is there must fit. At least one of `columns`, `type` and `comment` is there. */
export interface LabelRule {
  /** `schema.relation.column`; each part may use `*`, or be quoted and is then taken as it stands. Case counts. */
  readonly columns?: string;
  /** `type` or `schema.type` as pg_type names it, with the same patterns. A domain or array of that type fits too. */
  readonly type?: string;
  /** The whole comment of the column with `*` for any text, or a tag such as `@pii.email` anywhere in it. Case does not count. */
  readonly comment?: string;
  readonly label: Label;
}

/** What a rule looks at; the catalogue's own records fit. */
export interface LabelSubject {
  readonly schema: string;
  readonly relation: string;
  /** In pg_catalog or information_schema. */
  readonly system: boolean;
  readonly name: string;
  /** Declared type. */
  readonly type: number;
  readonly comment?: string;
}
export interface LabelType {
  readonly schema: string;
  readonly name: string;
  readonly element: number;
  readonly base: number;
}

/** A rule made ready. `relation` is asked first, so that most columns are never looked at. */
export interface CompiledRule {
  readonly rule: LabelRule;
  relation(schema: string, name: string, system: boolean): boolean;
  column(subject: LabelSubject, types: ReadonlyMap<number, LabelType>): boolean;
}

export const columnsPattern: RegExp = /^(?:(?:"(?:[^"]|"")+"|[^".]+)(?:\.(?!$)|$)){3}$/;
export const typePattern: RegExp = /^(?:(?:"(?:[^"]|"")+"|[^".]+)(?:\.(?!$)|$)){1,2}$/;

/** Throws an Error on a pattern that does not have the parts it needs. */
export function compileRule(rule: LabelRule): CompiledRule {
  const { columns, type, comment } = rule;
  if (columns !== undefined && !columnsPattern.test(columns))
    throw new Error(
      `label rule "${columns}": write it as schema.relation.column, with * for any and "quotes" around a name with dots`,
    );
  if (type !== undefined && !typePattern.test(type))
    throw new Error(`label rule for the type "${type}": write it as type or schema.type`);
  if (columns === undefined && type === undefined && comment === undefined)
    throw new Error(`label rule for ${rule.label}: it names no columns, type or comment`);
  const [schema, relation, column] = columns === undefined ? [] : partsOf(columns);
  const ofType = type === undefined ? undefined : typeTest(type);
  const ofComment = comment === undefined ? undefined : commentTest(comment);
  return {
    rule,
    // A type or a comment alone never means the server's own tables: half of what a client library asks would be masked.
    relation: schema && relation ? (of, name) => schema(of) && relation(name) : (_schema, _name, system) => !system,
    column: (subject, types) =>
      (!column || column(subject.name)) &&
      (!ofType || ofType(subject.type, types)) &&
      (!ofComment || ofComment(subject.comment)),
  };
}

/** For people: `public.people.email`, `type citext`, `comment @pii.*`. */
export function ruleWords({ columns, type, comment }: LabelRule): string {
  return [columns, type && `type ${type}`, comment && `comment ${comment}`].filter(Boolean).join(', ');
}

type Test = (name: string) => boolean;

function partsOf(pattern: string): Test[] {
  return (pattern.match(/"(?:[^"]|"")+"|[^".]+/g) ?? []).map((part) => {
    if (!part.startsWith('"')) return (name: string) => fits(part, name);
    const exact = part.slice(1, -1).replaceAll('""', '"');
    return (name: string) => name === exact;
  });
}

/** A domain over a type, or an array of it, holds the same values. */
function typeTest(pattern: string): (type: number, types: ReadonlyMap<number, LabelType>) => boolean {
  const parts = partsOf(pattern);
  const name = parts.pop()!;
  const [schema] = parts;
  const known = new WeakMap<LabelType, boolean>();
  const test = (oid: number, types: ReadonlyMap<number, LabelType>, depth = 0): boolean => {
    const type = types.get(oid);
    if (!type || depth > 32) return false;
    let found = known.get(type);
    if (found === undefined) {
      found =
        (name(type.name) && (!schema || schema(type.schema))) || test(type.element || type.base, types, depth + 1);
      known.set(type, found);
    }
    return found;
  };
  return test;
}

function commentTest(pattern: string): (comment: string | undefined) => boolean {
  const wanted = pattern.toLowerCase();
  const tag = wanted.startsWith('@') && !wanted.includes('*');
  return (comment) => {
    if (comment === undefined) return false;
    const text = comment.toLowerCase();
    return tag ? hasTag(text, wanted) : fits(wanted, text);
  };
}

/** `@pii` is not in `@pii.email`, `@pii-x` or `a@pii`; a full stop that ends a sentence is no part of a tag. */
function hasTag(text: string, tag: string): boolean {
  for (let at = text.indexOf(tag); at >= 0; at = text.indexOf(tag, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text.slice(at + tag.length, at + tag.length + 2);
    if (!/[\w.@-]/.test(before) && !/^(?:[\w-]|\.\w)/.test(after)) return true;
  }
  return false;
}

/** The rule that means exactly this column and no other. */
export function exactColumns(schema: string, relation: string, column: string): string {
  return [schema, relation, column].map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}
