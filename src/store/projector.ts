// Follows the journal and keeps the store's rows equal to it: batch by batch, each batch one transaction together with how far it came.
import { hash } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { type KeyPlace, openKeyProvider } from '../keys/open-provider.ts';
import { type KeyOpener, openKeyring } from '../ledger/keyring.ts';
import { type JournalItem, type JournalTail, openJournalTail, readJournal } from '../ledger/read-journal.ts';
import { forgetPayloads } from '../ledger/payload.ts';
import { type Changes, openWriter, type Progress, type Writer } from './apply.ts';
import { migrate } from './migrations.ts';
import { type Operation, project } from './project.ts';
import { openSqlite, type Sqlite } from './sqlite.ts';

export interface ProjectorOptions {
  /** Folder of the ledger, and the state folder beside it that holds the keys. */
  readonly ledger: string;
  readonly state: string;
  /** Who opens the keys; default: master.key of the state folder. */
  readonly keys?: KeyPlace;
  /** Folders of the logs that it continues, the first one first: their sessions are found like its own. */
  readonly earlier?: readonly string[] | undefined;
  /** The store's own file; may be deleted at any time while nothing runs. */
  readonly file: string;
  /** Entries in one transaction. */
  readonly batch?: number;
  /** Index from which entries are counted for the metrics; nothing is where absent. */
  readonly countFrom?: number;
}

export interface Projector {
  /** Follows the ledger to its present end; told of each batch. Rejects with a Fault when the ledger cannot be read. */
  follow(told: (changes: Changes, next: number) => void, seen?: (item: JournalItem) => void): Promise<void>;
  /** Entries of the ledger itself that the store shows. */
  next(): number;
  close(): void;
}

/** Characters of statements held in memory for one transaction; statements may be many megabytes each. */
const longestBatch = 16 * 1024 * 1024;

/** Opens the store for writing; makes it anew when it is missing, damaged, or belongs to another ledger. */
export async function openProjector(options: ProjectorOptions): Promise<Projector> {
  let db: Sqlite;
  try {
    db = await openStoreFile(options.file);
  } catch (cause) {
    if (!isSpoilt(cause)) throw cause;
    // A projection is never worth repairing.
    for (const suffix of ['', '-wal', '-shm']) rmSync(options.file + suffix, { force: true });
    db = await openStoreFile(options.file);
  }
  let keys: KeyOpener | undefined;
  try {
    const opened = (keys = openKeyring(options.state, options.keys && openKeyProvider(options.keys)));
    const writer = openWriter(db);
    const folders = [...(options.earlier ?? []), options.ledger];
    const logs = folders.map((folder) => openJournalTail(folder, opened));
    const names = await Promise.all(folders.map(originOf));
    let progress = await sameLedger(writer, folders);
    const shown = () => (progress.log === logs.length - 1 ? progress.next : 0);
    return {
      async follow(told, seen) {
        let operations: Operation[] = [];
        let size = 0;
        let length = 0;
        let { first, log } = progress;
        let last: JournalItem | undefined;
        const flush = () => {
          const at = { log, next: last!.index + 1, first, last: digestOf(last!) };
          const changes = writer.apply(operations, at, names[log]);
          progress = at;
          operations = [];
          size = 0;
          length = 0;
          told(changes, shown());
        };
        for (; ; log++, first = undefined) {
          for await (const items of logs[log]!.blocks(log === progress.log ? progress.next : 0)) {
            for (const item of items) {
              for (const operation of project(item)) {
                operations.push(operation);
                if (operation.do === 'add-statement') length += operation.statement.text.length;
                if (operation.do === 'shred') opened.forget(operation.shredding.keys);
              }
              if (log === logs.length - 1) seen?.(item);
              last = item;
              first ??= digestOf(item);
              if (++size >= (options.batch ?? 4_000) || length > longestBatch) flush();
            }
          }
          if (size > 0) flush();
          // What continues a log begins where that one has ended for good.
          if (log === logs.length - 1) break;
        }
        scrub(db);
      },
      next: shown,
      close() {
        opened.close();
        db.close();
      },
    };
  } catch (cause) {
    keys?.close();
    db.close();
    throw cause;
  }
}

/** After a shredding: its bytes leave the database's log too, and what this thread remembers. Tried again while a reader is in the way. */
function scrub(db: Sqlite): void {
  const row = db.prepare('SELECT scrub FROM progress').get() as { scrub: number };
  if (row.scrub === 0) return;
  forgetPayloads();
  // Deleted words stay in the index until its parts are merged, and their beginnings between its pages: it is written anew.
  db.raw.exec("INSERT INTO texts_index (texts_index) VALUES ('rebuild'); UPDATE progress SET scrub = 0");
  const { busy } = db.raw.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
  if (busy !== 0) db.raw.exec('UPDATE progress SET scrub = 1');
}

async function openStoreFile(file: string): Promise<Sqlite> {
  const db = openSqlite(file, { readOnly: false });
  try {
    chmodSync(file, 0o600);
    await migrate(db.kysely);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** Not a database, damaged, or with tables of another version: not merely locked, or on a disk that is full. */
function isSpoilt(cause: unknown): boolean {
  const code = (cause as { errcode?: number }).errcode;
  const [damaged, notDatabase] = [11, 26];
  return code === undefined || (code & 0xff) === damaged || (code & 0xff) === notDatabase;
}

/** Where to go on. Rows of another ledger, or of entries that a crash took back, are dropped and followed again from the start. */
async function sameLedger(writer: Writer, folders: readonly string[]): Promise<Progress> {
  const progress = writer.progress();
  if (progress.next === 0) return progress;
  const folder = folders[progress.log];
  if (folder === undefined) {
    writer.clear();
    return writer.progress();
  }
  const journal = openJournalTail(folder, undefined);
  const first = await entryAt(journal, 0);
  const last = await entryAt(journal, progress.next - 1);
  if (first === progress.first && last === progress.last) return progress;
  writer.clear();
  return writer.progress();
}

async function entryAt(journal: JournalTail, index: number): Promise<string | undefined> {
  for await (const item of journal.read(index)) return digestOf(item);
  return undefined;
}

/** The name of a log, from its first entry. */
async function originOf(folder: string): Promise<string | undefined> {
  for await (const { entry } of readJournal(folder, 0))
    return typeof entry.x.origin === 'string' ? entry.x.origin : undefined;
  return undefined;
}

function digestOf(item: JournalItem): string {
  return hash('sha256', JSON.stringify(item.entry));
}
