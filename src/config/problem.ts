// What is wrong in a configuration file, where, and what to write instead. Values are never quoted: one of them could be
// a secret that does not belong there (test: config/config "a problem never quotes a value").
import { type Document, isAlias, isCollection, isMap, isPair, isScalar, type LineCounter, type Node } from 'yaml';
import type { z } from 'zod';
import { knownKeys, nearest } from './suggestion.ts';

export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Key path, such as `targets[0].tls.mode`; empty for the file itself. */
  readonly key: string;
  readonly message: string;
}

/** Every problem of a file at once; `message` has one `file:line:column: key: …` a line. */
export class ConfigErrors extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describe).join('\n'));
    this.name = 'ConfigErrors';
    this.problems = problems;
  }
}

/** One line: where, which key, what and what to write. */
export function describe({ file, line, column, key, message }: Partial<ConfigProblem> & { message: string }): string {
  const at = file === undefined ? '' : `${file}:${line}:${column}: `;
  return `${at}${key ? `${key}: ` : ''}${message}`;
}

type Path = readonly PropertyKey[];

/** `['targets', 0, 'tls']` → `targets[0].tls`. */
export function keyPath(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`))
    .join('');
}

/** Line and column, from 1, of the key at `path`, or of the nearest thing above it that is there. */
export function position(document: Document, lines: LineCounter, path: Path): { line: number; column: number } {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) break;
    const pair: unknown = isMap(node)
      ? node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step))
      : node.items[Number(step)];
    if (isPair(pair)) {
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (pair) {
      node = pair as Node;
      offset = node.range?.[0] ?? offset;
    } else break;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** A zod issue as one or more paths with what to write. `known` is the JSON schema, for the names of keys. */
export function explain(
  issue: z.core.$ZodIssue,
  value: unknown,
  known: z.core.JSONSchema.BaseSchema,
): { path: Path; message: string }[] {
  const { path } = issue;
  const at = valueAt(value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const keys = knownKeys(known, path);
        const meant = nearest(key, keys);
        const advice = meant ? `did you mean ${meant}?` : `remove it; known here: ${keys.join(', ')}`;
        return { path: [...path, key], message: `unknown key; ${advice}` };
      });
    case 'invalid_union': {
      // Inside an object that is nearly right, say what is wrong in it; else what may stand here.
      const closest = issue.errors
        .filter((branch) => branch.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))
        .sort((one, other) => one.length - other.length)[0];
      const vague = closest?.some((inner) => inner.code === 'unrecognized_keys' || missing(at, inner)) ?? true;
      if (!closest || (vague && issue.errors.length > 1 && bothObjects(issue)))
        return [{ path, message: issue.message }];
      return closest.flatMap((inner) => explain({ ...inner, path: [...path, ...inner.path] }, value, known));
    }
    case 'invalid_value':
      return [
        {
          path,
          message:
            absent(at) ??
            (issue.message.startsWith('write') ? issue.message : `write ${oneOf(issue.values.map(String))}`),
        },
      ];
    case 'invalid_type': {
      const keys = issue.expected === 'object' ? knownKeys(known, path) : [];
      const form = keys.length > 0 ? `keys and values: { ${keys.join(': …, ')}: … }` : kindWords[issue.expected];
      return [{ path, message: absent(at) ?? `write ${form ?? issue.expected}` }];
    }
    case 'too_small':
      return [
        {
          path,
          message: `too ${sizeWord(issue.origin, 'small')}: write at least ${issue.minimum}${unit(issue.origin)}`,
        },
      ];
    case 'too_big':
      return [
        {
          path,
          message: `too ${sizeWord(issue.origin, 'large')}: write at most ${issue.maximum}${unit(issue.origin)}`,
        },
      ];
    case 'invalid_key':
      return issue.issues.map((inner) => ({ path, message: inner.message }));
    default:
      return [{ path, message: issue.message }];
  }
}

const kindWords: Readonly<Record<string, string>> = {
  string: 'a text; put it in quotes if it looks like a number',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list: [one, two], or one item a line after a dash',
  record: 'keys and values: { key: value }',
};

const bothObjects = (issue: z.core.$ZodIssueInvalidUnion): boolean =>
  issue.errors.every((branch) => branch.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'));

const missing = (value: unknown, issue: z.core.$ZodIssue): boolean => valueAt(value, issue.path) === undefined;
const absent = (value: unknown): string | undefined => (value === undefined ? 'missing: add this key' : undefined);
const oneOf = (values: readonly string[]): string =>
  values.length === 1 ? values[0]! : `one of ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
const sizeWord = (origin: string, word: 'small' | 'large'): string =>
  origin === 'string' ? { small: 'short', large: 'long' }[word] : word;
const unit = (origin: string): string => ({ string: ' characters', array: ' items' })[origin] ?? '';

function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (here === null || typeof here !== 'object') return undefined;
    here = (here as Record<PropertyKey, unknown>)[step];
  }
  return here;
}
