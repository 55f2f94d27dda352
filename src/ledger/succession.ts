// How one log continues another: what the last entry of the old one and the first of the new one say (docs/ledger-format.md,
// "Key rotation").
import type { Json } from '../domain/entry.ts';
import type { Facts } from './entry.ts';
import { NoteError, parseVkey } from './note.ts';
import { fromBase64 } from './platform.ts';

/** Why a log was ended. */
export const rotationReasons = ['routine', 'compromised', 'renamed'] as const;
export type RotationReason = (typeof rotationReasons)[number];

/** `x` of `log.successor`: who goes on. */
export interface Successor {
  readonly origin: string;
  readonly vkey: string;
  readonly reason: string;
}

/** `x.predecessor` of `log.genesis`: what the new log continues, to its last entry. */
export interface Predecessor {
  readonly origin: string;
  readonly vkey: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

/** A string says what is wrong with it. */
export function parseSuccessor(facts: Facts): Successor | string {
  const { origin, vkey, reason } = facts;
  if (typeof origin !== 'string' || typeof vkey !== 'string' || typeof reason !== 'string')
    return 'names no log, no key or no reason';
  return wrongKey(origin, vkey) ?? { origin, vkey, reason };
}

/** Undefined when the log continues no other; a string says what is wrong. */
export function parsePredecessor(genesis: Facts): Predecessor | undefined | string {
  const value = genesis.predecessor;
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'names no predecessor';
  const { origin, vkey, size, root } = value as { readonly [key: string]: Json | undefined };
  if (typeof origin !== 'string' || typeof vkey !== 'string') return 'names a predecessor without name or key';
  if (!Number.isSafeInteger(size) || (size as number) < 1 || typeof root !== 'string')
    return 'names a predecessor without size or root';
  if (fromBase64(root)?.length !== 32) return 'names a predecessor without a root';
  return wrongKey(origin, vkey) ?? { origin, vkey, size: size as number, root };
}

function wrongKey(origin: string, vkey: string): string | undefined {
  try {
    const key = parseVkey(vkey);
    return key.name === origin && key.type === 1 ? undefined : `names the key of another log than "${origin}"`;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    return `names a key that is none: ${cause.message}`;
  }
}
