// Refused sign-ins are recorded, but nobody who has no token may fill the disk with them: beyond a rate they are counted only.
import type { EntryType } from '../domain/entry.ts';
import type { Fault } from '../domain/fault.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Wish } from '../protocols/protocol.ts';

export interface Refusals {
  /** Never throws: the sign-in is refused whether or not that could be recorded. */
  record(fault: Fault, wish: Wish, principal: Principal | undefined, remote: string): void;
}

const perSecond = 10;
const longest = 200;

/** `sign-in.refused` without a verified principal, `session.refused` with one. `now` in milliseconds since the epoch. */
export function openRefusals(ledger: Pick<Ledger, 'append'>, now: () => number): Refusals {
  let second = 0;
  let inSecond = 0;
  let uncounted = 0;
  return {
    record(fault, wish, principal, remote) {
      const current = Math.floor(now() / 1_000);
      if (current !== second) {
        second = current;
        inSecond = 0;
      }
      if (++inSecond > perSecond) {
        uncounted++;
        return;
      }
      const type: EntryType = principal ? 'session.refused' : 'sign-in.refused';
      const short = (text: string | undefined) => text?.slice(0, longest).toWellFormed();
      const { user, application, address } = wish.claimed;
      const claimed = {
        user: short(user),
        application: short(application),
        address: short(address),
        target: short(wish.target),
        database: short(wish.database),
      };
      const who = { claimed, remote, principal: principal && principalId(principal) };
      try {
        const { durable } = ledger.append(
          { type, facts: { code: fault.code, notRecorded: uncounted || undefined }, payload: { who } },
          'written',
        );
        durable.catch(() => {});
        uncounted = 0;
      } catch {
        // A stopped ledger has told the operator already.
      }
    },
  };
}
