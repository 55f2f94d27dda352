// node:sqlite in the shape that Kysely's SQLite dialect wants. Prepared statements are kept: the same few texts run again and again.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import type { Schema } from './schema.ts';

export interface Sqlite {
  readonly kysely: Kysely<Schema>;
  readonly raw: DatabaseSync;
  prepare(text: string): StatementSync;
  close(): void;
}

const keptStatements = 200;

/** Opens the store's file. Reading and writing connections live on different threads; a reader waits at most 5 s for a lock. */
export function openSqlite(file: string, options: { readonly readOnly: boolean }): Sqlite {
  const raw = new DatabaseSync(file, { readOnly: options.readOnly, timeout: 5000 });
  // secure_delete: what is shredded is overwritten, and so is what the index leaves behind when it merges its parts.
  // NORMAL: after power loss the newest transactions may be missing, and the ledger is followed from there again.
  if (!options.readOnly)
    raw.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA secure_delete = ON',
    );
  raw.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY');
  const statements = new Map<string, StatementSync>();
  function prepare(text: string): StatementSync {
    let statement = statements.get(text);
    if (!statement) {
      statement = raw.prepare(text);
      if (statements.size >= keptStatements) statements.delete(statements.keys().next().value!);
      statements.set(text, statement);
    }
    return statement;
  }
  const database = {
    close: () => raw.close(),
    prepare(text: string) {
      const statement = prepare(text);
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...(values as SQLInputValue[])),
        run: (values: readonly unknown[]) => statement.run(...(values as SQLInputValue[])),
        iterate: (values: readonly unknown[]) => statement.iterate(...(values as SQLInputValue[])),
      };
    },
  };
  return {
    kysely: new Kysely<Schema>({ dialect: new SqliteDialect({ database }) }),
    raw,
    prepare,
    close: () => raw.close(),
  };
}
