// Cancelling: our own keys for clients, and the target's key on a second link to the target (manual 53.2.8).
import { randomBytes } from 'node:crypto';
import type { Permit } from '../../domain/permit.ts';
import type { TargetLink } from '../protocol.ts';
import { type CancelKey, encodeCancelRequest, encodeSslRequest } from './codec-startup.ts';
import { Writer } from './codec-writer.ts';

/** A fresh key for a client: 4 secret bytes under protocol 3.0, which knows no longer ones, else 32. */
export function newCancelKey(minor: number): CancelKey {
  return { pid: randomBytes(4).readInt32BE() & 0x7fff_ffff, secret: randomBytes(minor >= 2 ? 32 : 4) };
}

/** The name under which a key is registered. */
export function cancelName(key: CancelKey): string {
  return `${key.pid}/${key.secret.toString('hex')}`;
}

/**
 * Tells the target to interrupt what `key` runs; resolves when the target has taken it, which is not when it has happened.
 * Rejects with a Fault when the target cannot be reached. `dial` is the session's own way to the target, with its TLS.
 */
export async function cancelAtTarget(
  dial: () => Promise<TargetLink>,
  permit: Permit,
  key: CancelKey,
  deadlineMs = 10_000,
): Promise<void> {
  const link = await dial();
  const timer = setTimeout(() => link.destroy(), deadlineMs);
  const closed = Promise.withResolvers<void>();
  let answer: (byte: number) => void = () => undefined;
  link.open({
    data: (chunk) => answer(chunk[0] as number),
    drain: () => undefined,
    end: () => {
      answer(0);
      closed.resolve();
    },
  });
  try {
    const writer = new Writer();
    if (link.credential.tls !== 'disable') {
      const answered = new Promise<number>((resolve) => {
        answer = resolve;
      });
      encodeSslRequest(writer);
      link.send(writer.take(), permit);
      // Without TLS the key would be readable on the way (it is enough to cancel what the session runs next).
      if ((await answered) !== 0x53) return;
      answer = () => undefined;
      await link.secureNow(permit, { alpn: 'postgresql' });
    }
    encodeCancelRequest(writer, key);
    link.send(writer.take(), permit);
    // The target closes, as it does for libpq: a pooler that first has to reach its server may not outlive a client that is gone
    // (test: conformance/servers, pgbouncer 1.18 ended itself).
    await closed.promise;
  } finally {
    clearTimeout(timer);
    link.destroy();
  }
}
