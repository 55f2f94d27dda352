// A small witness that anyone can run: it remembers the newest checkpoint of each log and cosigns only what continues it
// (c2sp.org/tlog-witness). Beside its own state it needs nothing: no ledger, no gateway.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import Fastify from 'fastify';
import { Fault } from '../domain/fault.ts';
import { cosign, formatVkey, type NoteKey, parseCheckpoint, parseNote, parseVkey } from '../ledger/note.ts';
import { answerTo, submissionLimit } from './submission.ts';

export interface WitnessOptions {
  /** Folder with the witness's key and what it has seen. */
  readonly state: string;
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly logs: readonly NoteKey[];
  /** Milliseconds since the epoch. */
  now(): number;
  /** Told of each submission: status, and the log's name where it could be read. */
  answered?(status: number, origin: string | undefined): void;
}

export interface Witness {
  readonly url: string;
  readonly vkey: string;
  close(): Promise<void>;
}

const files = (state: string) => ({
  key: join(state, 'witness.key'),
  vkey: join(state, 'witness.vkey'),
  seen: join(state, 'seen.sqlite'),
});

/** Makes key and state of a new witness; returns its verifier key. Refuses a folder that already has one. */
export function createWitness(state: string, name: string): string {
  const { key, vkey, seen } = files(state);
  for (const path of [key, vkey, seen])
    if (existsSync(path)) throw new Fault('ledger.unavailable', `There is already a witness: ${path} exists.`);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const text = formatVkey(name, publicKey, 'witness');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  writeFileSync(vkey, `${text}\n`, { flag: 'wx' });
  const db = new DatabaseSync(seen);
  db.exec('CREATE TABLE seen (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT');
  db.close();
  return text;
}

/** Starts a witness. Fault when its state is missing, damaged or in use: what was seen must never be forgotten. */
export async function startWitness(options: WitnessOptions): Promise<Witness> {
  const { state, logs, now } = options;
  const paths = files(state);
  for (const path of Object.values(paths))
    if (!existsSync(path))
      throw new Fault(
        'ledger.unavailable',
        `${path} is missing. Make a witness with "countersign witness init" first.`,
      );
  const privateKey = createPrivateKey(readFileSync(paths.key));
  const vkey = parseVkey(readFileSync(paths.vkey, 'utf8'));
  if (formatVkey(vkey.name, createPublicKey(privateKey), 'witness') !== readFileSync(paths.vkey, 'utf8').trim())
    throw new Fault('ledger.unavailable', `${paths.key} does not belong to ${paths.vkey}.`);
  const db = new DatabaseSync(paths.seen, { timeout: 0 });
  try {
    // One witness a state: two would each cosign what the other has not seen.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT');
  } catch (cause) {
    db.close();
    throw new Fault('ledger.unavailable', `Another witness uses ${state}. Stop it first.`, cause);
  }
  const find = db.prepare('SELECT size, note FROM seen WHERE origin = ?');
  const keep = db.prepare(
    'INSERT INTO seen VALUES (?1, ?2, ?3) ON CONFLICT (origin) DO UPDATE SET size = ?2, note = ?3',
  );
  const latest = (origin: string) => {
    const row = find.get(origin) as { note: string } | undefined;
    return row && parseCheckpoint(parseNote(row.note).text);
  };

  const server = Fastify({
    bodyLimit: submissionLimit,
    logger: false,
    connectionTimeout: 10_000,
    requestTimeout: 10_000,
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.post('/add-checkpoint', (request, reply) => {
    // From the look at what was seen to the keeping of what is new nothing waits: the next submission finds it.
    const answer = answerTo(typeof request.body === 'string' ? request.body : '', logs, latest);
    options.answered?.(answer.status, answer.status === 200 ? answer.origin : undefined);
    void reply.header('cache-control', 'no-store');
    if (answer.status === 409) return reply.status(409).type('text/x.tlog.size').send(`${answer.size}\n`);
    if (answer.status !== 200)
      return reply.status(answer.status).type('text/plain; charset=utf-8').send(`${answer.why}\n`);
    const line = cosign(answer.text, vkey, privateKey, Math.floor(now() / 1_000));
    keep.run(answer.origin, answer.size, `${answer.signed}${line}`);
    return reply.type('text/plain; charset=utf-8').send(line);
  });
  // What anyone may ask: the newest checkpoint that was cosigned, by the hash of the log's name.
  server.get('/:log/checkpoint', (request, reply) => {
    const { log } = request.params as { log: string };
    const origin = logs.find(({ name }) => hash('sha256', name) === log)?.name;
    const row = origin === undefined ? undefined : (find.get(origin) as { note: string } | undefined);
    void reply.header('cache-control', 'no-store').type('text/plain; charset=utf-8');
    return row ? reply.send(row.note) : reply.status(404).send('nothing was seen of this log\n');
  });
  let url: string;
  try {
    url = await server.listen({ host: options.address, port: options.port });
  } catch (cause) {
    db.close();
    throw cause;
  }
  return {
    url,
    vkey: readFileSync(paths.vkey, 'utf8').trim(),
    async close() {
      await server.close();
      db.close();
    },
  };
}
