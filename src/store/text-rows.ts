// Texts of statements, each once, or nearly so, however often it ran; and the full-text index over them.
import { hash } from 'node:crypto';
import type { Sqlite } from './sqlite.ts';

export interface TextRows {
  /** Id of a text, made where there is none. */
  id(text: string): number;
  /** Reads what is remembered anew: rows were taken back, or removed. */
  read(): void;
  /** Removes texts that no statement has any more. */
  remove(ids: Iterable<number>): void;
}

/**
 * Texts that are found again: those among the newest whose ids share a generation with the newest, or the one before. A
 * function of the rows alone, so that the same ledger gives the same rows however often it was followed anew.
 */
const generation = 2_048;
/** Longer texts are found by their hash instead. */
const longestKeptText = 4_096;

export function openTextRows(db: Sqlite): TextRows {
  let texts = new Map<string, number>();
  let textsBefore = new Map<string, number>();
  let newest = 0;
  const insert = db.raw.prepare('INSERT INTO texts (id, hash, text) VALUES (?, ?, ?)');
  const index = db.raw.prepare('INSERT INTO texts_index (rowid, text) VALUES (?, ?)');
  const one = (sql: string, value: string | number) =>
    db.prepare(sql).get(value) as Record<string, unknown> | undefined;

  function read(): void {
    newest = Number(one('SELECT coalesce(max(id), 0) AS id FROM texts WHERE id > ?', 0)!.id);
    const from = newest - (newest % generation);
    const since = (first: number, last: number) =>
      new Map(
        db
          .prepare('SELECT id, text FROM texts WHERE id BETWEEN ? AND ? AND hash IS NULL ORDER BY id')
          .all(first, last)
          .map((row) => [row.text as string, row.id as number]),
      );
    texts = since(from, newest);
    textsBefore = since(from - generation, from - 1);
  }
  read();

  return {
    read,
    id(text) {
      const kept = texts.get(text) ?? textsBefore.get(text);
      if (kept !== undefined) return kept;
      const isLong = text.length > longestKeptText;
      const digest = isLong ? hash('sha256', text) : null;
      const before = digest && (one('SELECT id FROM texts WHERE hash = ?', digest)?.id as number | undefined);
      if (before) return before;
      const id = ++newest;
      if (id % generation === 0) {
        textsBefore = texts;
        texts = new Map();
      }
      insert.run(id, digest, text);
      index.run(id, text);
      if (!isLong) texts.set(text, id);
      return id;
    },
    remove(ids) {
      for (const id of ids) {
        if (one('SELECT 1 FROM statements WHERE text = ? LIMIT 1', id)) continue;
        const { text } = one('SELECT text FROM texts WHERE id = ?', id) as { text: string };
        db.prepare("INSERT INTO texts_index (texts_index, rowid, text) VALUES ('delete', ?, ?)").run(id, text);
        db.prepare('DELETE FROM texts WHERE id = ?').run(id);
      }
      read();
    },
  };
}
