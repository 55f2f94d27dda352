// What tokens are made with: keys of their own, derived from the deployment's, and permutations by kind of value.
import { type Ff1, openFf1 } from './ff1.ts';
import { hmacBytes } from './hash.ts';

export interface TokenKeys {
  /** Of the part that stands for the value. */
  readonly value: Buffer;
  /** Of the part that tells a token from anything else. */
  readonly check: Buffer;
  readonly card: Ff1;
  readonly numeric: Ff1;
  readonly integer: Ff1;
  /** One for each country, because equal account numbers of two countries are two accounts. */
  iban(country: string): Ff1;
}

const opened = new WeakMap<Buffer, TokenKeys>();

/** The same object for the same key, so that a column costs no derivation. */
export function tokenKeys(key: Buffer): TokenKeys {
  let keys = opened.get(key);
  if (!keys) opened.set(key, (keys = derive(key)));
  return keys;
}

function derive(key: Buffer): TokenKeys {
  const derived = (name: string) => hmacBytes(`countersign token ${name}`, key, 32);
  const permutation = derived('permutation');
  const countries = new Map<string, Ff1>();
  const open = (radix: number, tweak: string) => openFf1(permutation, radix, Buffer.from(tweak));
  return {
    value: derived('value'),
    check: derived('check'),
    card: open(10, 'card'),
    numeric: open(10, 'numeric'),
    integer: open(2, 'integer'),
    iban(country) {
      let found = countries.get(country);
      if (!found) countries.set(country, (found = open(10, `iban ${country}`)));
      return found;
    },
  };
}
