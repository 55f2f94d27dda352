// The catalogue of each (target, database) in use: read over the gateway's own connection, checked every few seconds while
// sessions use it, closed when they do not (DESIGN §5).
import { Fault } from '../../domain/fault.ts';
import type { Target } from '../../domain/target.ts';
import {
  type Catalogue,
  catalogueQueries,
  catalogueVersionQuery,
  type LabelRule,
  readCatalogue,
} from '../../sql/catalogue.ts';
import type { Backend } from '../protocol.ts';
import type { LoginLink } from './login.ts';
import { openOwnConnection, type OwnConnection, type OwnConnectionOptions } from './own-connection.ts';

const begin = 'begin transaction isolation level repeatable read read only';
const whoAnswers = 'select pg_catalog.pg_backend_pid()::pg_catalog.text';
const commit = 'commit';
/** All that a catalogue's connection ever asks. */
export const catalogueTexts: readonly string[] = [
  begin,
  whoAnswers,
  commit,
  catalogueVersionQuery,
  ...catalogueQueries,
];

/** Milliseconds. */
const pollEvery = 5_000;
const usableFor = 30_000;
const idleAfter = 120_000;
/** Readings in a row that may fail at the server before it is believed. */
const tries = 5;

export interface CataloguesOptions {
  /** A fresh stream to the target with its credential. */
  dial(target: Target, database: string): Promise<LoginLink>;
  labels(target: Target, database: string): readonly LabelRule[];
  /** Told of each catalogue that was read anew. */
  onRead?(target: Target, database: string, catalogue: Catalogue): void;
  /** How the own connection logs in to a target, beside the database. */
  connection?(target: Target): Omit<OwnConnectionOptions, 'database'>;
  /** Resolves once a connection of the gateway's own is on record. */
  reached?(target: Target, database: string, backend: Backend): Promise<void>;
  /** Milliseconds, monotonic or not. */
  now(): number;
  /** Calls once after `ms`; returns what cancels it. */
  schedule(ms: number, call: () => void): () => void;
}

export interface CatalogueSource {
  /** A catalogue checked within the last 30 s, else undefined: then ask `current`. Costs a comparison. */
  readonly latest: Catalogue | undefined;
  /** The same, reading or checking first where needed. Rejects with a Fault when the target cannot be asked. */
  current(): Promise<Catalogue>;
  /** Asks the target now whether it changed, and reads it anew where it did. */
  checked(): Promise<Catalogue>;
  /** Reads it anew; a reading that began earlier is not taken for this one. */
  refresh(): Promise<Catalogue>;
  /** Process id of the server that answered the connection which is open now, if one is: no session may be answered by the same. */
  readonly backend: string | undefined;
  /** The catalogue was changed through the gateway: what is held is not used any more. */
  changed(): void;
}

export interface Catalogues {
  of(target: Target, database: string): CatalogueSource;
  /** Sources that hold a catalogue or a connection now. */
  readonly size: number;
  close(): void;
}

export function openCatalogues(options: CataloguesOptions): Catalogues {
  // One for each (target, database) that is configured, for ever: sessions keep theirs, and two would mean two connections.
  const sources = new Map<string, Source>();
  const live = new Set<Source>();
  let closed = false;
  return {
    of(target, database) {
      const key = `${target.name}/${database}`;
      let source = sources.get(key);
      if (!source) {
        const made: Source = openSource(target, database, options, {
          used: () => live.add(made),
          idle: () => live.delete(made),
          closed: () => closed,
        });
        sources.set(key, made);
        source = made;
      }
      return source;
    },
    get size() {
      return live.size;
    },
    close() {
      closed = true;
      for (const source of live) source.stop();
    },
  };
}

interface Source extends CatalogueSource {
  stop(): void;
}

function openSource(
  target: Target,
  database: string,
  options: CataloguesOptions,
  tell: { used(): void; idle(): void; closed(): boolean },
): Source {
  let held: { catalogue: Catalogue; version: string; checked: number } | undefined;
  let connection: Promise<OwnConnection> | undefined;
  let answering: { readonly connection: OwnConnection; readonly backend: string | undefined } | undefined;
  let connecting: Promise<OwnConnection> | undefined;
  let running: Promise<Catalogue> | undefined;
  let next: Promise<Catalogue> | undefined;
  let checking: Promise<Catalogue> | undefined;
  let usedAt = 0;
  let cancel: (() => void) | undefined;
  let generation = 0;

  /** Never two at a time: while one is being made, it is the one. */
  const connect = async (): Promise<OwnConnection> => {
    // A reading that was under way at the close must not open anything again (test: nothing is left open).
    if (tell.closed()) throw new Fault('gateway.stopping', 'The gateway is stopping. Connect again in a moment.');
    tell.used();
    if (connection) {
      const before = await connection.catch(() => undefined);
      if (before?.open) return before;
    }
    connecting ??= openOwnConnection(() => options.dial(target, database), {
      deadlineMs: 15_000,
      ...options.connection?.(target),
      database,
      reached: async (backend) => options.reached?.(target, database, backend),
    }).finally(() => {
      connecting = undefined;
    });
    connection = connecting;
    return connection;
  };
  const ask = async (sql: string): Promise<string[][]> => {
    const rows = await (await connect()).query(sql);
    for (const row of rows) if (row.includes(null)) throw unreadable(new Error('NULL where none may be'));
    return rows as string[][];
  };
  const version = async (): Promise<string> => {
    const found = (await ask(catalogueVersionQuery))[0]?.[0];
    if (found === undefined) throw unreadable(new Error('no version'));
    return found;
  };

  /**
   * The server's functions that give a view's or a function's text look past our snapshot: what another session drops meanwhile fails the
   * reading, or is NULL in it. Then it is begun again (test: what is dropped while it is read).
   */
  const read = async (): Promise<Catalogue> => {
    for (let left = tries - 1; ; left--) {
      try {
        return await readOnce();
      } catch (error) {
        const answered = (await connection?.catch(() => undefined))?.open === true;
        if (left === 0 || !answered || !(error instanceof Fault)) throw error;
      }
    }
  };
  const readOnce = async (): Promise<Catalogue> => {
    const started = options.now();
    const began = generation;
    await ask(begin);
    try {
      const on = await connect();
      answering = {
        connection: on,
        backend: (await ask(whoAnswers))[0]?.[0],
      };
      const seen = await version();
      const results: string[][][] = [];
      for (const query of catalogueQueries) results.push(await ask(query));
      const catalogue = build(results, options.labels(target, database));
      options.onRead?.(target, database, catalogue);
      // What was changed while we read may be missing from what we read: it is given to the caller and not kept.
      if (began === generation) held = { catalogue, version: seen, checked: started };
      return catalogue;
    } finally {
      await ask(commit).catch(() => undefined);
    }
  };
  const start = (): Promise<Catalogue> => {
    const mine: Promise<Catalogue> = read().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  };
  const refresh = (): Promise<Catalogue> => {
    use();
    if (!running) return start();
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
  /** Asks for the version only, and reads again where it differs. */
  const check = (): Promise<Catalogue> => {
    checking ??= (async () => {
      const before = held;
      if (!before) return refresh();
      // On the one connection, a question in the middle of a reading would be answered from its snapshot.
      if (running) return next ?? running;
      const started = options.now();
      const seen = await version();
      if (held !== before || seen !== before.version) return held && held !== before ? held.catalogue : refresh();
      held = { ...before, checked: started };
      return before.catalogue;
    })().finally(() => {
      checking = undefined;
    });
    return checking;
  };

  const poll = (): void => {
    cancel = undefined;
    if (options.now() - usedAt > idleAfter) return stop();
    // A failure shows in `current` once what is held is too old; until then the next poll tries again.
    if (held && !running) void check().catch(() => undefined);
    cancel = options.schedule(pollEvery, poll);
  };
  const use = (): void => {
    usedAt = options.now();
    tell.used();
    cancel ??= options.schedule(pollEvery, poll);
  };
  const stop = (): void => {
    cancel?.();
    cancel = undefined;
    held = undefined;
    generation++;
    tell.idle();
    const open = connection;
    connection = undefined;
    void open?.then(
      (one) => one.close(),
      () => undefined,
    );
  };
  const fresh = (): Catalogue | undefined =>
    held && options.now() - held.checked <= usableFor ? held.catalogue : undefined;

  return {
    get latest() {
      const catalogue = fresh();
      if (catalogue) use();
      return catalogue;
    },
    current() {
      use();
      const catalogue = fresh();
      if (catalogue) return Promise.resolve(catalogue);
      return held ? check() : (next ?? running ?? refresh());
    },
    checked() {
      use();
      return held ? check() : (next ?? running ?? refresh());
    },
    refresh,
    get backend() {
      return answering?.connection.open ? answering.backend : undefined;
    },
    changed() {
      generation++;
      held = undefined;
      // Who asks from now on must not be given a reading that began before the change.
      if (running) void refresh().catch(() => undefined);
    },
    stop,
  };
}

function build(results: string[][][], labels: readonly LabelRule[]): Catalogue {
  try {
    return readCatalogue(results, labels);
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause: unknown): Fault {
  return new Fault(
    'target.protocol',
    "The target's catalogue could not be read; no statement can be judged without it.",
    cause,
  );
}
