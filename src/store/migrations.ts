// Migrations of the projection as a static array, so that they survive bundling. A released one never changes.
import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Schema } from './schema.ts';

interface Step {
  readonly name: string;
  readonly statements: readonly string[];
}

const steps: readonly Step[] = [
  {
    name: '0001-tables',
    statements: [
      `CREATE TABLE sessions (
        id TEXT PRIMARY KEY, principal TEXT NOT NULL, principal_name TEXT NOT NULL, principal_kind TEXT NOT NULL,
        issuer TEXT NOT NULL, subject TEXT NOT NULL, "groups" TEXT NOT NULL, owner TEXT, claimed TEXT NOT NULL,
        protocol TEXT NOT NULL, target TEXT NOT NULL, "database" TEXT NOT NULL,
        opened INTEGER NOT NULL, closed INTEGER, orphaned INTEGER NOT NULL, cause TEXT, open_entry INTEGER NOT NULL, seal_entry INTEGER, key TEXT,
        recorded_bytes INTEGER NOT NULL, statements INTEGER NOT NULL, held INTEGER NOT NULL, denied INTEGER NOT NULL,
        masked_cells INTEGER NOT NULL) WITHOUT ROWID`,
      'CREATE INDEX sessions_opened ON sessions (opened, id)',
      'CREATE INDEX sessions_live ON sessions (opened, id) WHERE closed IS NULL',
      'CREATE INDEX sessions_principal ON sessions (principal, opened, id)',
      'CREATE INDEX sessions_target ON sessions (target, opened, id)',
      'CREATE INDEX sessions_held ON sessions (opened, id) WHERE held > 0',
      'CREATE INDEX sessions_denied ON sessions (opened, id) WHERE denied > 0',
      // Only long texts have a hash: an index over the hashes of all of them would cost more than the rows.
      'CREATE TABLE texts (id INTEGER PRIMARY KEY, hash TEXT, text TEXT NOT NULL)',
      'CREATE UNIQUE INDEX texts_hash ON texts (hash) WHERE hash IS NOT NULL',
      `CREATE VIRTUAL TABLE texts_index USING fts5 (
        text, content = 'texts', content_rowid = 'id', detail = 'none', prefix = '2 3', tokenize = "unicode61 tokenchars '_'")`,
      `CREATE TABLE statements (
        session TEXT NOT NULL, sequence INTEGER NOT NULL, entry INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
        text INTEGER NOT NULL, parameters TEXT, ruling TEXT NOT NULL, rules TEXT NOT NULL, reason TEXT, advice TEXT,
        effects TEXT NOT NULL, approval TEXT, outcome TEXT, PRIMARY KEY (session, sequence)) WITHOUT ROWID`,
      'CREATE INDEX statements_text ON statements (text, session)',
      `CREATE TABLE approvals (
        id TEXT PRIMARY KEY, session TEXT NOT NULL, sequence INTEGER NOT NULL, requester TEXT NOT NULL,
        requester_name TEXT NOT NULL, target TEXT NOT NULL, "database" TEXT NOT NULL, text TEXT NOT NULL, parameters TEXT,
        effects TEXT NOT NULL, rules TEXT NOT NULL, advice TEXT NOT NULL, "group" TEXT NOT NULL, quorum INTEGER NOT NULL,
        created INTEGER NOT NULL, expires INTEGER NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL, resolved INTEGER)
        WITHOUT ROWID`,
      'CREATE INDEX approvals_created ON approvals (created, id)',
      'CREATE INDEX approvals_requester ON approvals (requester, created, id)',
      'CREATE INDEX approvals_group ON approvals ("group", created, id)',
      "CREATE INDEX approvals_pending ON approvals (session) WHERE state = 'pending'",
      `CREATE TABLE votes (
        approval TEXT NOT NULL, voter TEXT NOT NULL, voter_name TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
        reason TEXT, PRIMARY KEY (approval, voter)) WITHOUT ROWID`,
      `CREATE TABLE minutes (
        minute INTEGER PRIMARY KEY, statements INTEGER NOT NULL, denials INTEGER NOT NULL, masked_cells INTEGER NOT NULL)`,
      `CREATE TABLE progress (
        id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL, first_entry TEXT, last_entry TEXT)`,
      'INSERT INTO progress (id, next) VALUES (1, 0)',
    ],
  },
  // What shadow policies would have made of a statement. Entries from before had no such thing to say.
  { name: '0002-shadow', statements: ['ALTER TABLE statements ADD COLUMN shadow TEXT'] },
  { name: '0003-met', statements: [`ALTER TABLE sessions ADD COLUMN met TEXT NOT NULL DEFAULT '[]'`] },
  {
    name: '0004-recording',
    statements: ['ALTER TABLE sessions ADD COLUMN rule TEXT', 'ALTER TABLE sessions ADD COLUMN unkept TEXT'],
  },
  // How strong a vote is, and what a request asks for. Votes from before were all given in a session.
  {
    name: '0005-grade',
    statements: [
      `ALTER TABLE votes ADD COLUMN grade TEXT NOT NULL DEFAULT 'session'`,
      'ALTER TABLE approvals ADD COLUMN grade TEXT',
    ],
  },
  // Logs that continue each other. Everything so far stands in the first one.
  {
    name: '0006-logs',
    statements: [
      'ALTER TABLE sessions ADD COLUMN log TEXT',
      'ALTER TABLE progress ADD COLUMN log INTEGER NOT NULL DEFAULT 0',
    ],
  },
  {
    name: '0007-retention',
    statements: [
      'ALTER TABLE sessions ADD COLUMN shredded INTEGER',
      'ALTER TABLE sessions ADD COLUMN shred_rule TEXT',
      'ALTER TABLE sessions ADD COLUMN shred_entry INTEGER',
      'ALTER TABLE sessions ADD COLUMN shred_deleted INTEGER NOT NULL DEFAULT 0',
      'CREATE INDEX sessions_key ON sessions (key)',
      'CREATE INDEX sessions_kept ON sessions (closed, id) WHERE shredded IS NULL AND closed IS NOT NULL',
      'CREATE INDEX sessions_shredded ON sessions (shredded, id) WHERE shredded IS NOT NULL',
      'ALTER TABLE approvals ADD COLUMN asked INTEGER NOT NULL DEFAULT 0',
      'CREATE INDEX approvals_session ON approvals (session)',
      'ALTER TABLE votes ADD COLUMN entry INTEGER NOT NULL DEFAULT 0',
      'CREATE TABLE session_labels (session TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (session, label)) WITHOUT ROWID',
      `CREATE TABLE process_keys (
        key TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, lasting INTEGER NOT NULL) WITHOUT ROWID`,
      `CREATE TABLE holds (
        id TEXT PRIMARY KEY, at INTEGER NOT NULL, entry INTEGER NOT NULL, session TEXT, principal TEXT, lost INTEGER NOT NULL, target TEXT,
        "from" INTEGER, "to" INTEGER, reason TEXT NOT NULL, "by" TEXT NOT NULL, released INTEGER, release_entry INTEGER) WITHOUT ROWID`,
      // 1 while bytes of something shredded may be left in the file's log.
      'ALTER TABLE progress ADD COLUMN scrub INTEGER NOT NULL DEFAULT 0',
      // Labels of earlier sessions are in earlier entries: they are followed anew.
      "INSERT INTO texts_index (texts_index) VALUES ('delete-all')",
      ...['sessions', 'statements', 'texts', 'approvals', 'votes', 'minutes'].map((table) => `DELETE FROM ${table}`),
      'UPDATE progress SET next = 0, first_entry = NULL, last_entry = NULL',
    ],
  },
];

/** Brings the tables to the newest form. Throws what the database said when a step fails. */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

const migrations: Record<string, Migration> = Object.fromEntries(
  steps.map(({ name, statements }) => [
    name,
    {
      async up(db) {
        for (const statement of statements) await sql.raw(statement).execute(db);
      },
    },
  ]),
);
