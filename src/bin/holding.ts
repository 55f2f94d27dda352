// Who outside keeps checkpoints of this log: time stamping authorities and readers of mail. Nothing waits for them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Config, dataPaths } from '../config/config.ts';
import type { Rounds } from '../holders/rounds.ts';
import { openTimestamping } from '../holders/timestamping.ts';
import { disk } from '../ledger/disk.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** Starts what is configured; what is returned ends it. */
export function openHolding(config: Config, ledger: Ledger, log: Logger): () => Promise<void> {
  const { ledger: folder, state } = dataPaths(config);
  const { timestamps } = config.ledger;
  const open: Rounds[] = [];
  if (timestamps) {
    open.push(
      openTimestamping({
        folder,
        temporary: join(state, 'tmp'),
        disk,
        ledger,
        url: timestamps.url,
        ca: readFileSync(timestamps.ca.file, 'utf8'),
        everyMs: timestamps.everyHours * 3_600_000,
        patienceMs: timestamps.timeoutSeconds * 1_000,
        fetch: globalThis.fetch,
        now: Date.now,
        stamped: (size, { at }) => log.info({ size, at }, 'a checkpoint was time-stamped'),
        failed: (why) => log.warn({ authority: timestamps.url }, `no time stamp: ${why}`),
      }),
    );
  }
  return async () => {
    for (const one of open) await one.close();
  };
}
