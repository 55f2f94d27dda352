// Permits are capabilities (guarantee 1): minted here after the durable append and nowhere else, bound to one session, and
// demanded by dial and by every send (test: permit.before-send).
import type { Masks } from '../domain/decision.ts';
import { Fault } from '../domain/fault.ts';
import type { Permit } from '../domain/permit.ts';

/** Stands for one session; its identity is what a permit is bound to. */
export interface Owner {
  readonly id: string;
}

const minted = new WeakMap<Permit, Owner>();

/** Only session.ts may call this, after the decision is durable. */
export function mintPermit(owner: Owner, entry: number, sequence: number, masks: Masks): Permit {
  const permit: Permit = { granted: true, entry, sequence, masks };
  minted.set(permit, owner);
  return permit;
}

/** Throws a Fault unless the permit was minted by this process for this very session. */
export function demandPermit(owner: Owner, permit: Permit): void {
  if (minted.get(permit) !== owner)
    throw new Fault('gateway.internal', 'Nothing is sent without a permit of this session.');
}
