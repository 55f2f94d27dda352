// Literals that a mask made and that come back: found in the tree, where every way of writing a string is the same.
import type { Action } from '../domain/effect.ts';
import type { Label } from '../domain/label.ts';
import type { Meaning } from '../domain/statement.ts';
import type { Made, Place, WrittenBack } from '../masking/written-back.ts';
import type { Met } from './analysis.ts';
import { notUnderstood, type Tree } from './parse.ts';
import type { RecordedPart } from './recorded.ts';

/** What is known of one statement's literals. */
export interface Meeting extends Pick<RecordedPart, 'mask' | 'sensitive' | 'placed'> {
  /** Labels of the columns that it touches; absent when it could touch any. */
  readonly labels?: ReadonlySet<Label>;
  /** Those that each literal surely meets, by its location. */
  readonly meets: ReadonlyMap<number, Met>;
}

/** The strongest of what the literals near labelled columns are; undefined when they are the client's own. */
export function madeByMask(tree: Tree, near: Meeting, back: WrittenBack): Made | undefined {
  if (near.mask === 'none') return undefined;
  let found: Made | undefined;
  eachConstant(tree, (location, value) => {
    if (found === 'pseudonym' || (near.placed.has(location) && !near.sensitive.has(location))) return;
    found = back.text(value, placeOf(near.meets.get(location), near.labels)) ?? found;
  });
  return found;
}

/** Where a value that surely meets these labels goes, or, when nothing is sure, one of a statement that touches the others. */
export function placeOf(met: Met | undefined, touched: ReadonlySet<Label> | undefined): Place {
  if (met === undefined) return { labels: touched, meets: false };
  return met === 'any' ? { meets: true } : { labels: met, meets: true };
}

/** A mask is refused where rows are written; what stands for one value also where it is compared: no row holds it. */
export function refuseMade(made: Made | undefined, meaning: Meaning): void {
  if (made === 'pseudonym')
    throw notUnderstood(
      'A value in the statement is a token or a hash that stands for a masked value, and no row holds it. Leave it out, join on the column, or send the real value.',
      { sqlstate: '42501', message: 'a token of a masked value can be neither written nor compared' },
    );
  if (made === 'mask' && meaning.effects.some(({ action }) => writesRows.has(action)))
    throw notUnderstood(
      'A value in the statement is the work of a mask: writing it back would destroy what it hides. Leave the column out, or send its real value.',
      { sqlstate: '42501', message: 'a masked value cannot be written back' },
    );
}

const writesRows: ReadonlySet<Action> = new Set<Action>(['sql:insert', 'sql:update']);

interface Constant {
  readonly location?: number;
  readonly sval?: { readonly sval?: string };
  readonly ival?: { readonly ival?: number };
  readonly fval?: { readonly fval?: string };
}

/** The parser has read escapes, quotes and the sign of a number already. */
function eachConstant(value: unknown, on: (location: number, value: string) => void): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) eachConstant(item, on);
    return;
  }
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === null || typeof inner !== 'object') continue;
    if (key !== 'A_Const') {
      eachConstant(inner, on);
      continue;
    }
    const { location = 0, sval, ival, fval } = inner as Constant;
    const text = sval?.sval ?? fval?.fval ?? (ival ? String(ival.ival ?? 0) : undefined);
    if (text !== undefined) on(location, text);
  }
}

/** LIMIT and OFFSET never meet a column. */
export function limits(tree: Tree): number[] {
  const found: number[] = [];
  collect(tree, 'SelectStmt', (body) => {
    const { limitCount, limitOffset } = body as { limitCount?: Tree; limitOffset?: Tree };
    for (const limit of [limitCount, limitOffset]) if (limit?.A_Const) found.push(limit.A_Const.location ?? 0);
  });
  return found;
}

export function parametersOf(tree: Tree): ReadonlySet<number> {
  const found = new Set<number>();
  collect(tree, 'ParamRef', (body) => void found.add((body as { number?: number }).number ?? 0));
  return found;
}

/** Calls `on` for every node of a kind, unwrapped set-operation arms included. */
export function collect(value: unknown, kind: string, on: (body: object) => void): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, kind, on);
    return;
  }
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === null || typeof inner !== 'object') continue;
    if (key === kind || (kind === 'SelectStmt' && (key === 'larg' || key === 'rarg'))) on(inner);
    collect(inner, kind, on);
  }
}
