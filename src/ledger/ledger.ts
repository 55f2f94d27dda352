// The ledger: append, and know when it is durable. One process writes one log (docs/ledger-format.md).
// Long because the order of opening, appending, publishing and closing is to be read in one piece.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Draft, EntryType } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import type { AckLevel } from '../domain/target.ts';
import { type Disk, disk as realDisk } from './disk.ts';
import { entryWriter, type Facts, opaqueId } from './entry.ts';
import { hashSize } from './hash.ts';
import { type ClosedSegment, openJournal } from './journal.ts';
import { createKeys, type KeyPool, type KeyStatus, openKeyPool } from './keys.ts';
import { type Orphan, trackOpenSessions } from './open-sessions.ts';
import { createLock, takeLock } from './lock.ts';
import { formatMilestone, type Milestone, milestoneSize, parseMilestone } from './milestone.ts';
import type { KeyProvider } from './key-provider.ts';
import { destroyKeys, keysThere } from './keys-destruction.ts';
import { createMasterKey, fileKeyProvider } from './master-key.ts';
import { commit, payloadLimit } from './payload.ts';
import { openProcessKeys } from './process-keys.ts';
import { cutTornEnd, type Found, milestoneOf, recoverJournal, signedSize } from './recovery.ts';
import { signNote } from './note.ts';
import { resumeSequencer, type Sequencer } from './sequencer.ts';
import { LevelFault, openReplicated, type Replica } from './replica.ts';
import { forgetRestored, readRestored } from './restored.ts';
import type { SessionKey } from './session-key.ts';
import { createSigner, readSigner, type Signer } from './signer.ts';
import type { Predecessor } from './succession.ts';

export interface LedgerOptions {
  /** The ledger itself: everything an auditor gets. */
  readonly folder: string;
  /** What the writer keeps beside it: lock, keys. Never given away. */
  readonly state: string;
  /**
   * Where lock and signing key of this log lie; default: `state`. A log that continues another one has a folder of its own
   * for them, and shares the data keys.
   */
  readonly signing?: string;
  /** Name of this gateway, in every entry. */
  readonly gateway: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Recorded at start: version of the program, hash of the configuration. */
  readonly version?: string;
  readonly config?: string;
  /**
   * SHA-256 (first 16 hex digits) of each text that the gateway asks targets by itself; recorded at start. A boot that says so records
   * which process of a target serves a session before the session's first statement.
   */
  readonly asks?: readonly string[];
  /** Milliseconds between checkpoints while there is something new. */
  readonly periodMs?: number;
  /** Milliseconds between heartbeat entries, and facts that they carry beside the count of open sessions. */
  readonly heartbeatMs?: number;
  readonly heartbeat?: () => Facts;
  readonly segmentEntries?: number;
  readonly segmentBytes?: number;
  /** Who wraps data keys; default: master.key in the state folder. */
  readonly provider?: KeyProvider;
  /** Told when the provider begins to fail, and when it answers again. */
  readonly keysTold?: (status: KeyStatus) => void;
  readonly disk?: Disk;
  /** Second place of the record; without one nothing reaches `replicated`. */
  readonly replica?: Replica;
  /** Takes the writer's lock; for tests that make it fail. */
  readonly takeLock?: typeof takeLock;
  /** Called once, when the ledger stops for good because it could not write. */
  readonly stopped?: (fault: Fault) => void;
  /** How long each group of entries took to be written, and each sync, in milliseconds. */
  readonly timed?: (what: 'write' | 'sync', ms: number) => void;
}

export interface Appended {
  /** Leaf index. */
  readonly index: number;
  /** Resolves when the entry is durable at the level asked for; rejects with a Fault when it may not be. */
  readonly durable: Promise<void>;
}

export interface LedgerState {
  /** Entries in the journal. */
  readonly entries: number;
  readonly checkpoint?: { readonly size: number; readonly root: string; readonly at: number };
  readonly state: 'healthy' | 'stopped';
  readonly fault?: string;
  /** How many keys wait for sessions, and what the key provider said when it does not wrap more. */
  readonly keys: { readonly provider: string; readonly ready: number; readonly failing?: string };
}

export interface Ledger {
  /** Name of the log and of its key. */
  readonly origin: string;
  /** Public key to verify with. */
  readonly vkey: string;
  readonly boot: string;
  /** A fresh key for one session. Waits for no disk. */
  newKey(): SessionKey;
  /** Ids of the keys that still seal what is said outside sessions. */
  processKeys(): readonly string[];
  /**
   * Appends an entry; its payload is sealed with `key`, or one of the process's own. Throws a Fault, with nothing appended, when
   * it is too long (`client.limit`), the level cannot be reached now (LevelFault), or the ledger has stopped
   * (`ledger.unavailable`, `gateway.stopping`).
   */
  append(draft: Draft, level: AckLevel, key?: SessionKey): Appended;
  /** Where the entry is known to be now. What it says is measured, not what was asked for. */
  reached(index: number): AckLevel;
  status(): LedgerState;
  /** Calls back after each write with the number of entries there are now. Returns what takes the listener off again. */
  onAppend(listener: (upTo: number) => void): () => void;
  /** Signs a checkpoint over everything appended so far. */
  checkpointNow(): Promise<void>;
  /** Appends gateway.stop, signs a last checkpoint and releases the lock. */
  close(): Promise<void>;
}

/**
 * Creates a log named `origin`, and its first entry. Refuses where there is one, or a part of one. A log that continues another
 * finds its signing key made already, because the last entry of the old one names it.
 */
export async function createLedger(
  options: LedgerOptions & { readonly origin: string; readonly predecessor?: Predecessor },
): Promise<void> {
  const { folder, state, signing = state, origin, predecessor } = options;
  const taken = ['journal', 'tile', 'checkpoint'].map((name) => join(folder, name));
  taken.push(join(signing, 'lock.sqlite'));
  if (!predecessor) taken.push(join(signing, 'ledger.key'), join(state, 'keys.sqlite'));
  for (const path of taken) {
    if (existsSync(path)) throw new Fault('ledger.unavailable', `There is already a ledger: ${path} exists.`);
  }
  mkdirSync(join(folder, 'journal'), { recursive: true, mode: 0o750 });
  mkdirSync(join(signing, 'tmp'), { recursive: true, mode: 0o700 });
  const vkey = predecessor ? readSigner(signing).text : createSigner(signing, origin);
  if (!predecessor) {
    if (!options.provider && !existsSync(join(state, 'master.key'))) createMasterKey(state);
    createKeys(state);
  }
  createLock(signing);
  const disk = options.disk ?? realDisk;
  for (const path of [folder, dirname(folder), signing, dirname(signing)]) await disk.syncFolder(path);
  const log = await startWriting(options, undefined);
  log.append(
    { type: 'log.genesis', facts: { origin, vkey, predecessor: predecessor && { ...predecessor } } },
    'synced',
  );
  await log.finish();
}

/** Opens a log for writing: takes its lock, recovers it, and records the start. Fault when it may not be continued. */
export async function openLedger(options: LedgerOptions): Promise<{ ledger: Ledger; orphans: Orphan[] }> {
  const { folder, signing = options.state } = options;
  if (!existsSync(join(folder, 'journal'))) {
    const known = existsSync(join(signing, 'lock.sqlite'));
    throw new Fault(
      'ledger.unavailable',
      known
        ? `The ledger in ${folder} is gone, and ${signing} knows that there was one. Restore its newest copy.`
        : `There is no ledger in ${folder}. Create one first.`,
    );
  }
  const log = await startWriting(options, recoverJournal);
  const found = log.found!;
  try {
    if (found.successor) {
      throw new Fault(
        'ledger.unavailable',
        `The log in ${folder} has ended; ${found.successor.origin} continues it. Run "countersign ledger rotate" to finish the rotation.`,
      );
    }
    await recordStart(log, options);
    await log.ledger.checkpointNow();
    log.beat();
  } catch (cause) {
    await log.abandon();
    throw cause;
  }
  return { ledger: log.ledger, orphans: [...found.orphans] };
}

/** What an entry says was destroyed is gone, whatever interrupted it; and its bytes are in no file of the database. */
function finishShredding(state: string, shredded: readonly string[]): void {
  const left = keysThere(state, shredded);
  try {
    destroyKeys(state, left);
  } catch (cause) {
    // Their rows are gone, and a reader was in the way of the rest: the next shredding or start finishes that.
    if (keysThere(state, left).length > 0) throw cause;
  }
}

const defaultHeartbeatMs = 600_000;

export type Writing = Awaited<ReturnType<typeof startWriting>>;

/** Records the start of a boot after what recovery found, durably. */
export async function recordStart(log: Writing, options: LedgerOptions): Promise<void> {
  const found = log.found!;
  const ended = { 'gateway.stop': 'stopped', 'log.genesis': 'created' }[found.lastType as string] ?? 'crashed';
  const previous: Facts = { boot: found.boot, last: found.next - 1, ended, torn: found.tornBytes };
  const { asks, version, config, heartbeatMs = defaultHeartbeatMs } = options;
  const started = log.append(
    {
      type: 'gateway.start',
      facts: {
        asks: asks && [...asks],
        boot: log.ledger.boot,
        version,
        config,
        heartbeatMs,
        previous,
        restored: readRestored(options.state),
      },
    },
    'synced',
  );
  log.sealSegment(found.last);
  await started.durable;
  forgetRestored(options.state);
  finishShredding(options.state, found.shredded);
}

/** Takes the lock of a log and readies it for appending; `recover` reads what there is already. */
export async function startWriting(options: LedgerOptions, recover: typeof recoverJournal | undefined) {
  const { folder, state, replica, signing = state } = options;
  const replicated = replica && openReplicated(replica);
  const disk = options.disk ?? realDisk;
  const now = options.now ?? Date.now;
  const { heartbeatMs = defaultHeartbeatMs } = options;
  const boot = randomBytes(12).toString('base64url');
  const lock = (options.takeLock ?? takeLock)(signing, boot);
  let signer: Signer;
  let found: Found | undefined;
  let sequencer: Sequencer;
  let keys: KeyPool;
  try {
    signer = readSigner(signing);
    rmSync(join(signing, 'tmp'), { recursive: true, force: true });
    mkdirSync(join(signing, 'tmp'), { recursive: true, mode: 0o700 });
    const kept = lock.milestone();
    const milestone = kept === undefined ? undefined : parseMilestone(kept, signer.vkey);
    found = await recover?.(folder, signedSize(signer.vkey, lock.checkpoint()), milestone);
    if (found) found = { ...found, shredded: [...new Set([...lock.shredded(), ...found.shredded])] };
    const shared = { folder, state: signing, disk, lock, vkey: signer.vkey, signer: signer.key };
    sequencer = await resumeSequencer(shared, found);
    if (found) await cutTornEnd(disk, folder, signing, found);
    const provider = options.provider ?? fileKeyProvider(state);
    keys = await openKeyPool({ state, provider, told: options.keysTold, ...(recover ? {} : { low: 1 }) });
  } catch (cause) {
    lock.release();
    throw cause;
  }

  const processKeys = openProcessKeys(() => keys.take());
  const write = entryWriter(options.gateway, boot);
  const listeners = new Set<(upTo: number) => void>();
  const open = trackOpenSessions(found?.orphans);
  let lastTs = found?.ts ?? 0;
  let lastType: EntryType = found?.lastType ?? 'log.genesis';
  /** To be kept once a checkpoint covers it. */
  let milestone = found && milestoneOf(found);
  /** Keys destroyed by entries before the milestone, and by those behind it. */
  let shreddedBefore = found?.shredded ?? [];
  let shredded: string[] = [];
  let checkpoint: LedgerState['checkpoint'];
  let publishing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let heart: NodeJS.Timeout | undefined;
  let closing = false;

  const journal = openJournal({
    folder: join(folder, 'journal'),
    disk,
    next: found?.next ?? 0,
    trailer: found?.trailer ?? Buffer.alloc(hashSize),
    segmentEntries: options.segmentEntries ?? 65_536,
    segmentBytes: options.segmentBytes ?? 64 * 1024 * 1024,
    sealed(last) {
      milestone = { last, ts: lastTs, boot, lastType, open: open.list() };
      shreddedBefore = [...shreddedBefore, ...shredded];
      shredded = [];
      sealSegment(last);
    },
    timed: options.timed,
    written(upTo) {
      timer ??= setTimeout(tick, options.periodMs ?? 1000);
      for (const listener of listeners) listener(upTo);
    },
    stopped(fault) {
      clearTimeout(timer);
      clearInterval(heart);
      options.stopped?.(fault);
    },
  });

  function sealSegment({ first, entries, bytes, trailer }: ClosedSegment): void {
    append({ type: 'journal.seal', facts: { bytes, entries, first, sha256: trailer.toString('hex') } }, 'written');
  }

  function append(draft: Draft, level: AckLevel, sessionKey?: SessionKey): Appended {
    const { session, payload } = draft;
    const unreached = level === 'replicated' ? (replica ? replica.fault() : new LevelFault()) : undefined;
    if (unreached) throw unreached;
    if (session !== undefined && !opaqueId.test(session))
      throw new TypeError('a session id is 1 to 64 of A-Z a-z 0-9 _ -');
    const index = journal.prepare();
    const at = now();
    const ts = at > lastTs ? at : lastTs;
    const key = sessionKey ?? (payload === undefined ? processKeys.lasting : processKeys.of(draft.type, ts));
    const committed = payload === undefined ? undefined : commit(key, index, payload);
    if (committed && committed.text.length > payloadLimit / 4 && Buffer.byteLength(committed.text) > payloadLimit) {
      throw new Fault('client.limit', 'The statement is too long to be recorded. Split it.');
    }
    const entry = write(draft.type, ts, session, draft.sequence, draft.facts, committed?.commitments, key.id);
    // The client has its result already, and nothing acts on the word of an outcome.
    journal.put(entry, key, committed?.text, draft.type === 'statement.outcome');
    open.note(draft.type, session, draft.sequence, committed && key.id);
    lastTs = ts;
    lastType = draft.type;
    if (draft.type === 'retention.shred' && Array.isArray(draft.facts.keys))
      shredded = [...shredded, ...(draft.facts.keys as string[])];
    if (level !== 'replicated' || !replicated) return { index, durable: journal.durable(level) };
    return { index, durable: replicated.wait(journal.durable('synced'), index + 1) };
  }

  function tick(): void {
    timer = undefined;
    if (!closing) void publish().catch(() => undefined);
  }

  function keep(of: Milestone): void {
    lock.keep(signNote(formatMilestone(signer.vkey.name, of), signer.vkey, signer.key), shreddedBefore);
    milestone = undefined;
    shreddedBefore = [];
  }

  /** One round of the sequencer after another. A failed round leaves unknown state behind, so it stops the ledger. */
  function publish(): Promise<void> {
    const round = async () => {
      try {
        // What is written while the device works is not on it yet: a checkpoint may not cover it (test: ledger "a checkpoint covers").
        journal.flush();
        const size = journal.written();
        await journal.sync();
        // What is signed could be restored: a lost disk must not look like a roll-back. Without the second place it is signed all the same.
        await replica?.copied(size).catch(() => undefined);
        if (size === checkpoint?.size) return;
        const { size: signed, root } = await sequencer.publish(size);
        checkpoint = { size: signed, root: root.toString('base64'), at: now() };
        if (milestone && milestoneSize(milestone) <= signed) keep(milestone);
      } catch (cause) {
        throw journal.stop(cause);
      }
    };
    const next = (publishing ?? Promise.resolve()).catch(() => undefined).then(round);
    publishing = next;
    return next;
  }

  async function release(): Promise<void> {
    closing = true;
    clearTimeout(timer);
    clearInterval(heart);
    await publishing?.catch(() => undefined);
    // Whatever the disk says: the next one that comes must find it free.
    try {
      await journal.close();
    } finally {
      clearTimeout(timer);
      try {
        keys.close();
      } finally {
        lock.release();
      }
    }
  }

  async function finish(): Promise<void> {
    closing = true;
    try {
      if (!journal.fault()) await publish();
    } finally {
      await release();
    }
  }

  const ledger: Ledger = {
    origin: signer.vkey.name,
    vkey: signer.text,
    boot,
    newKey: () => keys.take(),
    processKeys: () => processKeys.present(),
    append,
    reached(index) {
      if (replicated && index < replicated.reached()) return 'replicated';
      return index < journal.synced() ? 'synced' : 'written';
    },
    status() {
      const fault = journal.fault();
      const entries = journal.written();
      const { provider, ready, failing } = keys.status();
      const ofKeys = { provider, ready, ...(failing ? { failing: failing.message } : {}) };
      if (!fault) return { entries, checkpoint, state: 'healthy', keys: ofKeys };
      return { entries, checkpoint, state: 'stopped', fault: fault.message, keys: ofKeys };
    },
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    checkpointNow: publish,
    async close() {
      if (closing) return;
      if (!journal.fault()) append({ type: 'gateway.stop', facts: { boot } }, 'synced');
      await finish();
    },
  };
  return {
    ledger,
    found,
    append,
    sealSegment,
    finish,
    /** The last signed checkpoint, and the time of the last entry. */
    checkpoint: () => lock.checkpoint(),
    lastTs: () => lastTs,
    abandon: release,
    beat() {
      heart = setInterval(() => {
        try {
          append({ type: 'heartbeat', facts: { ...options.heartbeat?.(), open: open.size } }, 'written');
        } catch {
          // A stopped ledger has already told everyone.
        }
      }, heartbeatMs);
      heart.unref();
    },
  };
}
