import type { Grade } from './grade.ts';
import type { Mask } from './mask.ts';

/** What a calling agent should do after a denial. */
export type Next = 'final' | 'change' | 'ask';

/** Masks of each result set, by column; `null` leaves the column as it is. */
export type Masks = readonly (readonly (Mask | null)[])[];

export type Decision = Permitted | Hold | Denied;

/** What the decision would be if the shadow policies counted too; present only where it would be another one. */
export type Shadow = Omit<Permitted, 'shadow'> | Omit<Hold, 'shadow'> | Omit<Denied, 'shadow'>;

export interface Permitted {
  readonly shadow?: Shadow;
  readonly ruling: 'permit';
  readonly rules: readonly string[];
  readonly masks: Masks;
}

export interface Hold {
  readonly shadow?: Shadow;
  readonly ruling: 'hold';
  readonly rules: readonly string[];
  readonly masks: Masks;
  /** The group that may vote. */
  readonly group: string;
  /** Distinct people needed. */
  readonly quorum: number;
  /** How strong each vote must be; absent where a signed-in session is enough. */
  readonly grade?: Exclude<Grade, 'session'>;
  readonly ttlSeconds: number;
  readonly advice: string;
}

export interface Denied {
  readonly shadow?: Shadow;
  readonly ruling: 'deny';
  readonly rules: readonly string[];
  readonly reason: string;
  readonly advice: string;
  readonly next: Next;
}
