// PostgreSQL's own regression scripts through the analyser: each statement is analysed or refused with a Fault, never a crash.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../src/domain/fault.ts';
import type { Analysis, Scope } from '../../src/sql/analysis.ts';
import { openAnalyser } from '../../src/sql/analyse.ts';
import { loadParser } from '../../src/sql/parse.ts';
import { openWorld, type World } from '../adversarial/effects/world.ts';
import { vectors } from './folder.ts';

const folder = vectors('postgres-regress');

let world: World;
beforeAll(async () => {
  await loadParser();
  world = await openWorld();
});
afterAll(() => world.stop());

/** Statements as psql would cut them: at a semicolon outside quotes, comments, parentheses and BEGIN ATOMIC; its own commands and COPY data left out. */
function cut(script: string): readonly string[] {
  const statements: string[] = [];
  const lines = script.replace(/^(copy .* from stdin.*;)\n[\s\S]*?^\\\.$/gim, '$1').split('\n');
  const text = lines.filter((line) => !line.startsWith('\\')).join('\n');
  const token =
    /--[^\n]*|\/\*|\*\/|\$[A-Za-z_]*\$|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|begin\s+atomic|\bcase\b|\bend\b|[();]|\\(?:g\w*|;|crosstabview)[^\n]*/gi;
  let start = 0;
  let [parens, comments, atomic] = [0, 0, 0];
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const word = match[0].toLowerCase();
    if (word === '/*') comments++;
    else if (word === '*/') comments = Math.max(0, comments - 1);
    else if (comments > 0) continue;
    else if (word.startsWith('$')) {
      const close = text.indexOf(match[0], token.lastIndex);
      if (close >= 0) token.lastIndex = close + match[0].length;
    } else if (word === '(') parens++;
    else if (word === ')') parens = Math.max(0, parens - 1);
    else if (word.startsWith('begin')) atomic++;
    else if (word === 'case' && atomic > 0) atomic++;
    else if (word === 'end' && atomic > 0) atomic--;
    else if ((word === ';' && parens === 0 && atomic === 0) || word.startsWith('\\')) {
      statements.push(text.slice(start, match.index));
      start = token.lastIndex;
    }
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}

test('every statement is analysed or refused', { timeout: 300_000 }, () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  expect(files.length).toBe(219);
  const counts = { analysed: 0, syntax: 0, refused: 0, unknown: 0, unreadable: 0 };
  const reasons = new Map<string, number>();
  const analyser = openAnalyser();
  for (const file of files) {
    // Each script is a session: what it prepares and declares can be executed and fetched later.
    const prepared = new Map<string, Analysis>();
    const cursors = new Map<string, Analysis>();
    const scope: Scope = { ...world.scope, prepared, cursors };
    for (const sql of cut(readFileSync(join(folder, file), 'utf8'))) {
      try {
        const { meaning, parts } = analyser.analyse(sql, scope);
        for (const part of parts)
          if (part.result !== undefined) expect(part.columns.length).toBe(meaning.results[part.result]!.length);
        for (const { changes } of parts) {
          if (changes.prepared) prepared.set(changes.prepared.name, changes.prepared.analysis);
          if (changes.cursor) cursors.set(changes.cursor.name, changes.cursor.analysis);
        }
        counts.analysed++;
        if (meaning.effects.some(({ action }) => action === 'sql:unknown')) counts.unknown++;
        if (meaning.effects.some(({ attributes }) => attributes?.['unreadable'])) counts.unreadable++;
      } catch (error) {
        if (!(error instanceof Fault)) throw new Error(`${file}: ${sql}`, { cause: error });
        const cause = error.cause as { sqlstate?: string; message?: string; reason?: unknown } | undefined;
        // A bug of ours would hide behind the same fault: only the stack limit may.
        if (cause?.reason !== undefined && !(cause.reason instanceof RangeError))
          throw new Error(`${file}: ${sql}`, { cause: error });
        if (cause?.sqlstate === '42601') counts.syntax++;
        else {
          counts.refused++;
          const reason = error.message.replace(/"[^"]*"/g, '…');
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
      }
    }
  }
  console.log(
    counts,
    [...reasons].sort((a, b) => b[1] - a[1]),
  );
  // Whatever the server's grammar takes and we refuse counts as unknown, whether or not there is a better word for it.
  const share = (counts.refused + counts.unknown) / (counts.analysed + counts.refused);
  console.log(
    `sql:unknown or refused: ${(100 * share).toFixed(2)} % of ${counts.analysed + counts.refused} statements`,
  );
  expect(share).toBeLessThan(0.01);
  expect(counts.analysed).toBeGreaterThan(30_000);
});
