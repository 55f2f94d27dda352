// Permits are capabilities (guarantee 1): minted here after the durable append and nowhere else, bound to one session, and
// demanded by dial and by every send (test: permit.before-send).
import type { Masks } from '../domain/decision.ts';
import { Fault } from '../domain/fault.ts';
import type { Permit } from '../domain/permit.ts';

/** Stands for one session; its identity is what a permit is bound to. */
export interface Owner {
  readonly id: string;
}

/** The private field is the mark: nothing outside of this file can make it, and no copy carries it. */
class Minted implements Permit {
  readonly granted = true;
  readonly entry: number;
  readonly sequence: number;
  readonly masks: Masks;
  readonly #owner: Owner;

  constructor(owner: Owner, entry: number, sequence: number, masks: Masks) {
    this.#owner = owner;
    this.entry = entry;
    this.sequence = sequence;
    this.masks = masks;
    Object.freeze(this);
  }

  static belongs(owner: Owner, permit: Permit): boolean {
    return Object(permit) === permit && #owner in permit && permit.#owner === owner;
  }
}

/** Only session.ts may call this, after the decision is durable. */
export function mintPermit(owner: Owner, entry: number, sequence: number, masks: Masks): Permit {
  return new Minted(owner, entry, sequence, masks);
}

/** Throws a Fault unless the permit was minted by this process for this very session. */
export function demandPermit(owner: Owner, permit: Permit): void {
  if (!Minted.belongs(owner, permit))
    throw new Fault('gateway.internal', 'Nothing is sent without a permit of this session.');
}
