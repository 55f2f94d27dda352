// What is wrong with a ledger's files, where, and what it means. Refusals at start and the verifier both speak it.

export class Damage extends Error {
  /** Path inside the ledger folder. */
  readonly file: string;
  /** Index of the entry concerned, where there is one. */
  readonly index: number | undefined;
  /** What this tells the reader, and what to do. */
  readonly meaning: string;
  constructor(file: string, what: string, meaning: string, index?: number) {
    super(what);
    this.name = 'Damage';
    this.file = file;
    this.index = index;
    this.meaning = meaning;
  }
}

/** Meanings that several checks share. */
export const meaning = {
  changed: 'The file was changed after it was written. Compare with a copy or a backup; keep this folder as it is.',
  missing: 'Something was removed. Compare with a copy or a backup; keep this folder as it is.',
  rewritten:
    'Whoever holds the signing key wrote another history and signed it. The checkpoint that was kept is the proof; keep both.',
  rolledBack:
    'An older copy was put in the place of the log, or its end was cut off. The checkpoint that was kept is the proof.',
  forked:
    'The log goes on in two ways. Whoever holds its key signed both; a checkpoint that was kept, or a witness, tells which is the true one.',
  afterEnd: 'The log was ended for good. Whoever wrote after that is not its gateway; what stands before is as it was.',
  unchained:
    'The logs do not continue each other. One of them is not what the other names; compare with kept checkpoints.',
  unsigned: 'The file was changed, or this is not the key of this log. Compare with a checkpoint kept elsewhere.',
  added: 'Somebody put it there. Remove it after a look at it.',
  destroyed:
    'Somebody destroyed content without a record. Compare with a copy of keys.sqlite; the proofs of what is gone are as they were.',
  restored:
    'An old copy of keys.sqlite was put back, or a gateway was killed while it shredded: starting it destroys the key again.',
  torn: 'The writer was interrupted. Starting the gateway recovers it; what is cut off was never acknowledged.',
} as const;

/** Which kind of damage a meaning is, in one word for programs. */
export type DamageKind = keyof typeof meaning | 'other';

const kinds = new Map<string, DamageKind>(Object.entries(meaning).map(([kind, text]) => [text, kind as DamageKind]));

export function kindOf(text: string): DamageKind {
  return kinds.get(text) ?? 'other';
}
