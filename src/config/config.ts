// `countersign.yaml` → one frozen value. Errors say where, what is wrong and what to write (docs/config.md).
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isMap, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigErrors, type ConfigProblem, explain, keyPath, position } from './problem.ts';
import { keysRules } from './keys-rules.ts';
import { brokenRules } from './rules.ts';
import { type Settings, schema } from './schema.ts';

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** Effective configuration: defaults filled in, paths absolute, secrets as references only. */
export interface Config extends Frozen<Settings> {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  /** SHA-256 of that file, hex. */
  readonly digest: string;
}

/** Far above any real configuration; a bound on what the parser is given. */
const largest = 4 * 1024 * 1024;

/** JSON schema of the file, as an editor wants it (draft 2020-12). */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(schema, { io: 'input' });
}

/** Reads and checks a file. Throws ConfigErrors with every problem, or what `readFileSync` throws. */
export function loadConfig(path: string): Config {
  const file = resolve(path);
  return parseConfig(readFileSync(file, 'utf8'), file, path);
}

/** Checks a text as if it stood in `file`; problems are told under the name `shown`. */
export function parseConfig(text: string, file: string, shown: string = file): Config {
  const lines = new LineCounter();
  const fail = (found: { line: number; column: number; key: string; message: string }[]): never => {
    const problems: ConfigProblem[] = found.map((problem) => ({ file: shown, ...problem }));
    throw new ConfigErrors(problems.sort((one, other) => one.line - other.line || one.column - other.column));
  };
  const top = { line: 1, column: 1, key: '' };
  if (text.length > largest) fail([{ ...top, message: 'the file is longer than 4 MiB: it is not a configuration' }]);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false });
  const faults = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return {
      line,
      column: col,
      key: '',
      message: `not YAML: ${yamlAdvice[error.code] ?? 'check the indentation and quotes around here'}`,
    };
  });
  if (faults.length > 0) fail(faults);
  if (!isMap(document.contents)) fail([{ ...top, message: 'there is no configuration here: start with version: 1' }]);

  const value: unknown = plain(document, () => fail([{ ...top, message: 'too many aliases: write the values out' }]));
  const parsed = schema.safeParse(value);
  const locate = (path: readonly PropertyKey[], message: string) => ({
    ...position(document, lines, path),
    key: keyPath(path),
    message,
  });
  if (!parsed.success) {
    const known = jsonSchema();
    return fail(
      parsed.error.issues
        .flatMap((issue) => explain(issue, value, known))
        .map(({ path, message }) => locate(path, message)),
    );
  }
  const broken = [...brokenRules(parsed.data), ...keysRules(parsed.data)];
  if (broken.length > 0) fail(broken.map(({ path, message }) => locate(path, message)));
  return freeze({ ...absolute(parsed.data, dirname(file)), file, digest: hash('sha256', text) });
}

/** One log of a gateway: its folder, and the one with its lock and signing key. */
export interface LogPlace {
  readonly folder: string;
  readonly signing: string;
}

/**
 * Where a gateway with this configuration keeps what. `ledger` is the log that is written; the ones that it continues are in
 * `earlier`, the first one first. A log counts from the moment that its signing key lies in its place.
 */
export function dataPaths(config: Pick<Config, 'data'>) {
  const state = join(config.data, 'state');
  const place = (number: number): LogPlace => ({
    folder: join(config.data, number === 1 ? 'ledger' : `ledger-${number}`),
    signing: number === 1 ? state : join(state, `log-${number}`),
  });
  let current = 1;
  while (existsSync(place(current + 1).signing)) current++;
  return {
    ledger: place(current).folder,
    signing: place(current).signing,
    earlier: Array.from({ length: current - 1 }, (_, index) => place(index + 1).folder),
    next: place(current + 1),
    recordings: join(config.data, 'recordings'),
    state,
    store: join(config.data, 'store.sqlite'),
  } as const;
}

const yamlAdvice: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is there twice: keep one',
  TAB_AS_INDENT: 'a tab: indent with spaces',
  MULTIPLE_DOCS: 'a second document begins here: keep one in a file',
  BAD_ALIAS: 'an alias without an anchor: write the value out',
  TAG_RESOLVE_FAILED: 'an unknown !tag: remove it',
};

function plain(document: ReturnType<typeof parseDocument>, tooMany: () => never): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return tooMany();
  }
}

/** Paths: `data`, `policies`, and every `{ file }` wherever it stands. */
function absolute(settings: Settings, base: string): Settings {
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inside);
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value);
    if (entries.length === 1 && entries[0]![0] === 'file') return { file: resolve(base, String(entries[0]![1])) };
    return Object.fromEntries(entries.map(([key, part]) => [key, inside(part)]));
  };
  const all = inside(settings) as Settings;
  return { ...all, data: resolve(base, settings.data), policies: resolve(base, settings.policies) };
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
