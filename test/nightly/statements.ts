// Statements damaged by words and by characters, read by the analyser under a real catalogue: an analysis or a Fault, and the parser
// goes on as before.
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Fault } from '../../src/domain/fault.ts';
import { openAnalyser } from '../../src/sql/analyse.ts';
import type { Analysis, Scope } from '../../src/sql/analysis.ts';
import { readCatalogue } from '../../src/sql/catalogue.ts';
import { loadParser } from '../../src/sql/parse.ts';
import { destructive } from '../adversarial/effects/destructive.ts';
import { harmless } from '../adversarial/effects/harmless.ts';
import { corpus } from '../adversarial/lineage/corpus.ts';
import { rules } from '../adversarial/lineage/shop.ts';
import { kept } from './corpus.ts';
import type { Attempt } from './inputs.ts';
import { told } from './messages.ts';
import { generator, pick, type Random } from './mutation.ts';

const texts: readonly string[] = [
  ...corpus.map(({ sql }) => sql),
  ...harmless,
  ...destructive.map(({ sql }) => sql),
  ...kept('found')
    .filter(({ name }) => name.startsWith('sql-'))
    .map(({ bytes }) => bytes.toString()),
];

const word = /\s+|[\p{L}_$][\p{L}\p{N}_$]*|\d+(?:\.\d+)?|'(?:[^']|'')*'|"[^"]*"|::|[\s\S]/gu;
const words = texts.map((text) => text.match(word) ?? []);
const odd = [
  '\0',
  '\ud800',
  '\ufeff',
  '\u202e',
  '😀',
  '\n--',
  '/*',
  '*/',
  "'",
  '"',
  '$$',
  '$a$',
  '\\',
  ';',
  '(',
  ')',
  '[',
  ']',
  "e'",
  'U&"',
  '$1',
  '$99999999999',
  '::',
  '1e999',
  '-',
  '*',
  '.',
  ',',
];
const around: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['select (', ')'],
  ['explain analyze ', ''],
  ['select * from (', ') as x'],
  ['with w as (', ') select * from w'],
  ['create view v as ', ''],
  ['prepare p as ', ''],
  ['declare c cursor for ', ''],
  ['copy (', ') to stdout'],
  ['do $do$ begin ', '; end $do$'],
  ['create function f() returns void language plpgsql as $f$ begin ', '; end $f$'],
  ['select array[', ']'],
  ['not ', ''],
];

function damagedText(random: Random): string {
  let parts: string[] = [...pick(random, words)];
  for (let times = random(5); times > 0; times--) {
    const at = random(parts.length + 1);
    const length = 1 + random(6);
    switch (random(7)) {
      case 0:
        parts.splice(at, length);
        break;
      case 1:
        parts.splice(at, 0, ...parts.slice(at, at + length));
        break;
      case 2: {
        const other = pick(random, words);
        const from = random(other.length + 1);
        parts.splice(at, random(3), ...other.slice(from, from + length * 2));
        break;
      }
      case 3:
        parts.splice(at, random(2), pick(random, pick(random, words)) ?? '');
        break;
      case 4:
        parts.splice(at, 0, pick(random, odd));
        break;
      case 5: {
        const [before, after] = pick(random, around);
        const deep = random(50) === 0 ? 1 + random(3_000) : 1;
        parts = [before.repeat(deep), ...parts, after.repeat(deep)];
        break;
      }
      default: {
        const text = parts.join('');
        const from = random(text.length + 1);
        const changed =
          text.slice(0, from) +
          String.fromCharCode(random(random(4) === 0 ? 0xffff : 128)) +
          text.slice(from + random(2));
        parts = [changed];
      }
    }
  }
  return parts.join('');
}

type SqlAttempt = Pick<Attempt, 'bytes'> & { run(): Promise<string | undefined> };

/** `rows` are the results of `catalogueQueries` at the server that the statements of the corpus were written for. */
export async function openSqlAttempts(
  rows: readonly (readonly (readonly string[])[])[],
): Promise<(seed: number, index: number) => SqlAttempt> {
  await loadParser();
  const scope: Scope = {
    catalogue: readCatalogue(rows, rules),
    searchPath: ['pg_catalog', 'public'],
    role: 'postgres',
    prepared: new Map(),
    cursors: new Map(),
  };
  const analyser = openAnalyser();
  const probe = 'select ssn, name from people where id = 1';
  const before = openAnalyser().analyse(probe, scope);
  /** A parser that a text ended is replaced in a moment, and then it reads as before. */
  const alive = async (): Promise<string | undefined> => {
    for (let tries = 0; ; tries++) {
      try {
        // A fresh analyser, because the other one may answer from memory.
        const same = isDeepStrictEqual(openAnalyser().analyse(probe, scope), before);
        return same ? undefined : 'the parser reads the same statement in another way afterwards';
      } catch (error) {
        if (tries === 500) return `the parser is dead afterwards: ${told(error)}`;
        await sleep(10);
      }
    }
  };
  return (seed, index) => {
    const random = generator(seed, index);
    const text = damagedText(random);
    return {
      bytes: Buffer.from(text),
      async run() {
        const { wrong, ended } = analysed(() => analyser.analyse(text, scope));
        return wrong ?? (ended || index % 100 === 0 ? await alive() : undefined);
      },
    };
  };
}

/** `ended` when the text may have ended the parser. */
function analysed(read: () => Analysis): { readonly wrong?: string; readonly ended?: boolean } {
  try {
    const { meaning, parts, text } = read();
    if (typeof text !== 'string') return { wrong: 'an analysis without its text' };
    for (const { result } of parts)
      if (result !== undefined && meaning.results[result] === undefined)
        return { wrong: 'a part with a result that is not there' };
    return {};
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'statement.not-understood') return { wrong: told(error) };
    return { ended: (error.cause as { sqlstate?: string } | undefined)?.sqlstate === '54001' };
  }
}
