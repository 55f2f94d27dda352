// Who outside keeps checkpoints of this log: witnesses, time stamping authorities, readers of mail. Nothing waits for them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Config, dataPaths } from '../config/config.ts';
import type { MailServer } from '../holders/mail.ts';
import { openReceipts } from '../holders/receipts.ts';
import type { Rounds } from '../holders/rounds.ts';
import { openTimestamping } from '../holders/timestamping.ts';
import type { Fault } from '../domain/fault.ts';
import { disk } from '../ledger/disk.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { parseVkey } from '../ledger/note.ts';
import { secret } from '../targets/secret.ts';
import { openCosigning } from '../witness/cosigning.ts';

/** Starts what is configured; what is returned ends it. `rolledBack`: a witness has seen more of the log than there is. */
export function openHolding(
  config: Config,
  ledger: Ledger,
  log: Logger,
  rolledBack: (fault: Fault) => void,
): () => Promise<void> {
  const { ledger: folder, state } = dataPaths(config);
  const { witnesses, witnessSeconds, timestamps, receipts } = config.ledger;
  const open: Rounds[] = [];
  if (witnesses.length > 0) {
    const cosigning = openCosigning({
      folder,
      temporary: join(state, 'tmp'),
      log: parseVkey(ledger.vkey),
      witnesses: witnesses.map(({ key, url }) => ({ vkey: parseVkey(key), url })),
      everyMs: witnessSeconds * 1_000,
      fetch: globalThis.fetch,
      failed: (witness, why) => log.warn({ witness }, `the witness did not cosign: ${why}`),
      rolledBack,
    });
    open.push(cosigning);
    void cosigning
      .round()
      .catch((error: Error) => log.warn({ err: error }, 'no checkpoint could be shown to witnesses'));
  }
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
  if (receipts) {
    open.push(
      openReceipts({
        folder,
        state,
        disk,
        ledger,
        server: mailServer(receipts.smtp),
        from: receipts.from,
        to: receipts.to,
        every: receipts.every,
        now: Date.now,
        sent: (size) => log.info({ size }, 'a receipt was mailed'),
        failed: (why) => log.warn({ server: receipts.smtp.host }, `no receipt: ${why}`),
      }),
    );
  }
  return async () => {
    for (const one of open) await one.close();
  };
}

/** A mail server as it is configured. */
export function mailServer({
  host,
  port,
  tls,
  user,
  password,
  ca,
}: NonNullable<Config['ledger']['receipts']>['smtp']): MailServer {
  return {
    host,
    port,
    tls,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password: () => secret(password) }),
    ...(ca === undefined ? {} : { ca: readFileSync(ca.file, 'utf8') }),
  };
}
