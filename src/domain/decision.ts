import type { Mask } from './mask.ts';

/** What a calling agent should do after a denial. */
export type Next = 'final' | 'change' | 'ask';

/** Masks of each result set, by column; `null` leaves the column as it is. */
export type Masks = readonly (readonly (Mask | null)[])[];

export type Decision = Permitted | Hold | Denied;

export interface Permitted {
  readonly ruling: 'permit';
  readonly rules: readonly string[];
  readonly masks: Masks;
}

export interface Hold {
  readonly ruling: 'hold';
  readonly rules: readonly string[];
  readonly masks: Masks;
  /** The group that may vote. */
  readonly group: string;
  /** Distinct people needed. */
  readonly quorum: number;
  readonly ttlSeconds: number;
  readonly advice: string;
}

export interface Denied {
  readonly ruling: 'deny';
  readonly rules: readonly string[];
  readonly reason: string;
  readonly advice: string;
  readonly next: Next;
}
