// The object store as the second place of the record: frames at once, the rest at leisure, and a daily look at whether what lies
// there can be destroyed (docs/storage.md).
import type { Draft } from '../domain/entry.ts';
import type { Fault } from '../domain/fault.ts';
import type { NoteKey } from '../ledger/note.ts';
import { type Checked, checkStore, dayMs, type LockRule } from './check.ts';
import { type Attempts, isDenied, settingsDigest, tryToDestroy } from './denial.ts';
import { Conflict, type ObjectStore } from './object-store.ts';
import { copyRound, type RoundPlaces } from './round.ts';
import { openShipping, type Shipping, type ShippingState } from './shipping.ts';

export interface ObjectReplicaOptions extends RoundPlaces {
  readonly store: ObjectStore;
  /** The store with other credentials, which may delete, for the probe; the same where there are none. */
  readonly probing?: ObjectStore;
  readonly vkey: NoteKey;
  readonly lock?: LockRule;
  readonly waitMs: number;
  readonly checkpointMs: number;
  readonly probeMs: number;
  readonly retryMs?: number;
  now(): number;
  readonly tell: {
    up(): void;
    down(why: Error): void;
    /** A round did not come to its end; the next one tries again. */
    roundFailed(why: Error): void;
    missing(sessions: readonly string[]): void;
    /** What is locked could be destroyed, or it could not be shown that it cannot. */
    notDenied(attempts: Attempts): void;
    conflict(fault: Fault): void;
  };
}

export interface ProbeResult {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ok: boolean;
  readonly attempts: Attempts;
}

export interface ObjectReplicaState extends ShippingState {
  readonly store: string;
  /** Entries under the newest checkpoint there. */
  readonly checkpoint: number;
  /** Why the last round did not come to its end. */
  readonly roundFailed?: string;
  readonly probe?: ProbeResult;
}

export interface ObjectReplica {
  readonly replica: Shipping;
  /** Asks the store and compares. Throws what is wrong with it, or an ObjectFault when it could not be asked. */
  attach(): Promise<void>;
  /** From here on probes are recorded, the first one as soon as the store is there. */
  record(append: (draft: Draft) => void): void;
  /** Copies what is due now. */
  round(): Promise<void>;
  state(): ObjectReplicaState;
  /** Copies what is left, waiting at most so long. */
  close(ms: number): Promise<void>;
}

export function openObjectReplica(options: ObjectReplicaOptions): ObjectReplica {
  const { store, lock, now, tell } = options;
  const from = { size: 0, beside: new Map<string, string>() };
  let conditional: boolean | undefined;
  let append: ((draft: Draft) => void) | undefined;
  let probe: ProbeResult | undefined;
  let probing: Promise<void> | undefined;
  let roundFailed: string | undefined;
  let running: Promise<void> | undefined;
  let looked = 0;

  const checked = () =>
    checkStore(store, lock, new Date(now()).toISOString().replace(/[:.]/g, '-'), now).then((found: Checked) => {
      conditional = found.conditional;
      return found;
    });

  const shipping = openShipping({
    folder: options.folder,
    vkey: options.vkey,
    waitMs: options.waitMs,
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
    now,
    async check() {
      // Tried on an object once a life, and by the probe each day; asked for whenever the store was lost.
      if (conditional === undefined) await checked();
      else await store.settings();
      return {
        store,
        conditional: conditional!,
        ...(lock ? { retainUntil: () => now() + lock.days * dayMs } : {}),
      };
    },
    up(standing) {
      if (standing) from.size = standing.checkpoint?.size ?? 0;
      if (looked++ > 0) tell.up();
      void runProbe();
    },
    down: tell.down,
    conflict: tell.conflict,
  });

  /** At the start and then daily; at once when one is overdue and the store is back. */
  async function runProbe(): Promise<void> {
    if (!append || probing || !shipping.writing()) return;
    // An attempt that could not be made proves nothing, so it is not put off until the next day.
    const made = probe !== undefined && Object.values(probe.attempts).every((end) => end !== 'unknown');
    if (probe && made && now() - probe.at < options.probeMs) return;
    probing = (async () => {
      try {
        const found = await checked();
        const attempts = await tryToDestroy(options.probing ?? store, found.probe, lock !== undefined, now);
        const ok = isDenied(attempts, lock !== undefined);
        probe = { at: now(), ok, attempts };
        append?.({
          type: 'storage.probe',
          facts: {
            attempts,
            conditional: found.conditional,
            ...(lock ? { days: lock.days } : {}),
            ok,
            settings: settingsDigest(found.settings),
          },
          payload: { admin: { store: store.name, ...found.probe, settings: found.settings } },
        });
        if (!ok) tell.notDenied(attempts);
      } catch (error) {
        tell.roundFailed(error as Error);
      } finally {
        probing = undefined;
      }
    })();
    return probing;
  }

  function round(): Promise<void> {
    running ??= (async () => {
      const to = shipping.writing();
      if (!to) return;
      try {
        const done = await copyRound(to, options, from, shipping.state().copied);
        roundFailed = undefined;
        if (!done) return;
        from.size = done.size;
        if (done.missing.length > 0) tell.missing(done.missing);
      } catch (error) {
        roundFailed = (error as Error).message;
        if (error instanceof Conflict) shipping.conflicted(error);
        else tell.roundFailed(error as Error);
      }
    })().finally(() => {
      running = undefined;
    });
    return running;
  }

  const rounds = setInterval(() => void round(), options.checkpointMs).unref();
  const probes = setInterval(() => void runProbe(), Math.min(options.probeMs, 60_000)).unref();

  return {
    replica: shipping,
    attach: shipping.attach,
    record(to) {
      append = to;
      void runProbe();
    },
    round,
    state: () => ({
      ...shipping.state(),
      store: store.name,
      checkpoint: from.size,
      ...(roundFailed === undefined ? {} : { roundFailed }),
      ...(probe ? { probe } : {}),
    }),
    async close(ms) {
      clearInterval(rounds);
      clearInterval(probes);
      append = undefined;
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, ms);
      const rest = (async () => {
        await probing;
        await shipping.drain();
        await running;
        await round();
      })();
      await Promise.race([rest.catch(() => undefined), late.promise]);
      clearTimeout(timer);
      shipping.close();
    },
  };
}
