import type { Masks, Next } from './decision.ts';

/**
 * The capability to send one statement to the target. Minted only after its decision is durable and demanded by every
 * send; a forged one is refused (test: permit.before-send).
 */
export interface Permit {
  readonly granted: true;
  /** Leaf index of the decision in the ledger. */
  readonly entry: number;
  /** Position of the statement in its session, from 1. */
  readonly sequence: number;
  readonly masks: Masks;
}

/** Why a statement may not run; a value, not an error. The protocol renders it in its own error form. */
export interface Denial {
  readonly granted: false;
  readonly entry: number;
  readonly reason: string;
  readonly advice: string;
  /** `retry`: nothing is wrong with the statement, the gateway cannot now. */
  readonly next: Next | 'retry';
  /** Tells apart what the calling agent should do. */
  readonly cause: 'policy' | 'refused' | 'expired' | 'withdrawn' | 'not-understood' | 'unavailable';
}

/** A statement is waiting for people; told to the client at once, while it waits. */
export interface Holding {
  readonly id: string;
  readonly url: string;
  readonly group: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}
