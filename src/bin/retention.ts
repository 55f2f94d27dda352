// Retention and keys as the gateway runs them: rules of the configuration over store, ledger and recordings.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RetentionParts } from '../api/retention-routes.ts';
import { type Config, dataPaths } from '../config/config.ts';
import { principalId } from '../domain/principal.ts';
import type { KeyProvider } from '../ledger/key-provider.ts';
import type { KeyOpener } from '../ledger/keyring.ts';
import { rewrapKeys } from '../ledger/keys-rewrapping.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { recordingFile } from '../ledger/verify-recordings.ts';
import { startDaily } from '../retention/daily.ts';
import { openRetention } from '../retention/retention.ts';
import type { Store } from '../store/store.ts';

export interface RetentionPlaces {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly keyring: KeyOpener;
  readonly provider: KeyProvider;
  /** Drops what is remembered of the requests of these sessions. */
  readonly forgetRequests: (sessions: readonly string[]) => void;
  readonly log: Logger;
}

export function retentionOf(config: Config, of: RetentionPlaces): RetentionParts & { close(): void } {
  const { ledger, store, keyring, provider, log } = of;
  const { state, recordings } = dataPaths(config);
  const { rules, gatewayDays, dailyAt } = config.retention;
  const retention = openRetention({
    rules,
    ...(gatewayDays === undefined ? {} : { gatewayDays }),
    ledger,
    state,
    store,
    now: Date.now,
    forget(keys, sessions) {
      keyring.forget(keys);
      of.forgetRequests(sessions);
    },
    removeRecording: (session) => rm(join(recordings, recordingFile(session)), { force: true }),
  });
  const daily =
    dailyAt === undefined
      ? undefined
      : startDaily({
          retention,
          at: dailyAt,
          now: Date.now,
          timers: {
            set: (call, ms) => setTimeout(call, ms).unref(),
            clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
          },
          done: (report) => log.info(report, 'what was due is shredded'),
          failed: (error) => log.error({ err: error }, 'what is due could not be shredded: it is tried again tomorrow'),
        });
  return {
    retention,
    rewrap: (wish, by, told) =>
      rewrapKeys({ ...wish, ledger, state, provider, told, who: { by: principalId(by), byName: by.name } }),
    close: () => daily?.close(),
  };
}
