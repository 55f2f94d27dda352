// What leaves the gateway for other systems: events of the record, metrics.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Config, dataPaths } from '../config/config.ts';
import { type Exports, openExports } from '../exports/exports.ts';
import type { SinkOptions } from '../exports/sink.ts';
import type { KeyPlace } from '../keys/open-provider.ts';
import type { Ledger, LedgerOptions } from '../ledger/ledger.ts';
import { parseCheckpoint, parseNote } from '../ledger/note.ts';
import { listenForScrapes } from '../metrics/listener.ts';
import { type AppendTimes, openAppendTimes, openMetrics } from '../metrics/metrics.ts';
import type { OpenGateway } from '../session/gateway.ts';
import type { Store } from '../store/store.ts';
import { secret } from '../targets/secret.ts';
import { openTraces } from '../traces/traces.ts';
import { cosignedFile } from '../witness/cosigning.ts';
import { version } from './version.ts';

export interface Outlets {
  /** Absent when nothing is exported. */
  readonly exports?: Exports;
  /** Before the ledger closes. */
  close(): Promise<void>;
}

export async function openOutlets(
  config: Config,
  ledger: Pick<Ledger, 'append' | 'checkpointNow' | 'origin' | 'status'>,
  log: Logger,
  keys: KeyPlace,
): Promise<Outlets> {
  const paths = dataPaths(config);
  const exports =
    config.exports.length > 0
      ? openExports({
          logs: [...paths.earlier.map(logAt), { folder: paths.ledger, origin: ledger.origin }],
          state: paths.state,
          keys,
          version,
          sinks: config.exports.map(sinkOf),
          append: (draft, level, key) => ledger.append(draft, level, key),
          told(sink, error) {
            if (error === undefined) log.info({ sink }, 'events are delivered again');
            else log.warn({ sink }, `events are not delivered: ${error}`);
          },
        })
      : undefined;
  const { traces: wanted } = config;
  const traces =
    wanted &&
    openTraces(
      {
        ledger: paths.ledger,
        state: paths.state,
        keys,
        origin: ledger.origin,
        gateway: config.gateway.name,
        version,
        url: wanted.otlp,
        ...(wanted.token ? { authorization: `${wanted.scheme} ${await secret(wanted.token)}` } : {}),
        from: ledger.status().entries,
      },
      (why) => log.error(`traces are not sent: ${why}`),
    );
  return {
    ...(exports ? { exports } : {}),
    async close() {
      await traces?.close();
      if (!exports) return;
      // What has happened up to now is to be under a checkpoint, or it would be sent after the next start only.
      await ledger.checkpointNow().catch(() => undefined);
      await exports.close();
    },
  };
}

/** Times of appending, where somebody will ask for them; made before the ledger is opened. */
export function openTimes(config: Config): { times?: AppendTimes; timed?: LedgerOptions['timed'] } {
  if (!config.metrics) return {};
  const times = openAppendTimes();
  return { times, timed: (what, ms) => times[what].add(ms / 1_000) };
}

export interface Measured {
  readonly ledger: Pick<Ledger, 'status'>;
  readonly gateway: Pick<OpenGateway, 'sessions'>;
  readonly store: Pick<Store, 'onChange'>;
  readonly outlets: Outlets;
  readonly times: AppendTimes | undefined;
}

/** Resolves to what closes it; nothing where no metrics are wanted. */
export async function openScrapes(config: Config, log: Logger, of: Measured): Promise<() => Promise<void>> {
  const { metrics: wanted } = config;
  if (!wanted || !of.times) return async () => {};
  const cosigned = join(dataPaths(config).ledger, cosignedFile);
  const metrics = openMetrics(
    {
      version,
      ledger: () => of.ledger.status(),
      sessions: () => of.gateway.sessions(),
      exports: () => of.outlets.exports?.status() ?? [],
      cosigned: () => (config.ledger.witnesses.length > 0 ? sizeOf(cosigned) : undefined),
      now: Date.now,
    },
    of.times,
  );
  const off = of.store.onChange(({ gains }) => metrics.add(gains));
  const { address, port, tls, token } = wanted;
  const listener = await listenForScrapes(
    {
      address,
      port,
      ...(tls ? { tls: { cert: readFileSync(tls.cert.file), key: readFileSync(tls.key.file) } } : {}),
      ...(token ? { token: await secret(token) } : {}),
    },
    metrics.registry,
  );
  log.info({ address, port: listener.port }, 'metrics');
  return async () => {
    off();
    await listener.close();
  };
}

/** A log that ended; its name stands in its last checkpoint. */
function logAt(folder: string) {
  return { folder, origin: readFileSync(join(folder, 'checkpoint'), 'utf8').split('\n')[0]! };
}

/** 0 until a witness has answered. */
function sizeOf(checkpoint: string): number {
  try {
    return parseCheckpoint(parseNote(readFileSync(checkpoint, 'utf8')).text).size;
  } catch {
    return 0;
  }
}

/** The configuration's rules saw to it that each has what it needs. */
function sinkOf({ output, host, url, token, sign, tls, ...of }: Config['exports'][number]): SinkOptions {
  switch (of.to) {
    case 'file':
      return { ...of, to: 'file', output: output! };
    case 'syslog':
      return { ...of, to: 'syslog', host: host!, ...(tls ? { tls } : {}) };
    case 'http':
      return { ...of, to: 'http', url: url!, ...(token ? { token } : {}), ...(sign ? { sign } : {}) };
    case 'otlp':
      return { ...of, to: 'otlp', url: url!, ...(token ? { token } : {}) };
  }
}
