// What leaves the gateway for other systems: events of the record.
import type { Logger } from 'pino';
import { type Config, dataPaths } from '../config/config.ts';
import { type Exports, openExports } from '../exports/exports.ts';
import type { SinkOptions } from '../exports/sink.ts';
import type { KeyPlace } from '../keys/open-provider.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { version } from './version.ts';

export interface Outlets {
  /** Absent when nothing is exported. */
  readonly exports?: Exports;
  /** Before the ledger closes. */
  close(): Promise<void>;
}

export function openOutlets(
  config: Config,
  ledger: Pick<Ledger, 'append' | 'checkpointNow' | 'origin'>,
  log: Logger,
  keys: KeyPlace,
): Outlets {
  const paths = dataPaths(config);
  const exports =
    config.exports.length > 0
      ? openExports({
          ledger: paths.ledger,
          state: paths.state,
          keys,
          origin: ledger.origin,
          version,
          sinks: config.exports.map(sinkOf),
          append: (draft, level, key) => ledger.append(draft, level, key),
          told(sink, error) {
            if (error === undefined) log.info({ sink }, 'events are delivered again');
            else log.warn({ sink }, `events are not delivered: ${error}`);
          },
        })
      : undefined;
  return {
    ...(exports ? { exports } : {}),
    async close() {
      if (!exports) return;
      // What has happened up to now is to be under a checkpoint, or it would be sent after the next start only.
      await ledger.checkpointNow().catch(() => undefined);
      await exports.close();
    },
  };
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
