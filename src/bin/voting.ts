// What people decide about sessions: approvals, the keys that votes are signed with, and locks; as the configuration wants them.
import { openApproverKeys } from '../approvals/approver-keys.ts';
import { openApprovals } from '../approvals/inbox.ts';
import type { Config } from '../config/config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openLocks } from '../session/locks.ts';
import { openKeptKeys } from '../store/approver-keys.ts';
import { openKeptLocks } from '../store/locks.ts';

export function openVoting({ approvals: of, console: { url, admins } }: Config, ledger: Ledger, state: string) {
  const kept = openKeptKeys(state);
  // Passkeys are tied to the host that people open.
  const origin = new URL(of.url ?? url);
  const keys = openApproverKeys({
    ledger,
    kept,
    now: Date.now,
    enrolment: of.enrolment,
    admins,
    rules: { rpId: origin.hostname, origin: origin.origin, ...of.passkeys },
  });
  const approvals = openApprovals({
    ledger,
    keys,
    now: Date.now,
    timers: { set: (call, ms) => setTimeout(call, ms), clear: (timer) => clearTimeout(timer as NodeJS.Timeout) },
    baseUrl: of.url ?? url,
  });
  const keptLocks = openKeptLocks(state);
  const locks = openLocks({ ledger, kept: keptLocks, now: Date.now });
  return {
    keys,
    approvals,
    locks,
    close() {
      kept.close();
      keptLocks.close();
    },
  };
}
