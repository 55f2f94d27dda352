// What an attack is, and what it must be found as.
import type { DamageKind } from '../../../src/ledger/damage.ts';
import type { Piece } from '../../peers/forger.ts';
import type { Place, Storage } from './place.ts';

/** Where and as what it is named. */
export interface Named {
  readonly kind: DamageKind;
  /** Beginning of the file's path. */
  readonly file: string;
  /** Part of the words. */
  readonly what: string;
}

/** With every file in the attacker's hands. */
export interface FileAttack {
  readonly name: string;
  run(on: Storage, place: Place): void | Promise<void>;
  readonly found: Named;
}

/** Another history, right in every hash, chain and tile: without the log's key, and with it. */
export interface ForgedAttack {
  readonly name: string;
  change(pieces: Piece[], place: Place): Piece[];
  readonly withoutKey: Named;
  /** Undefined: faultless in itself, behind what was kept. Only a newer checkpoint, or a witness, finds it. */
  readonly withKey: Named | undefined;
}
