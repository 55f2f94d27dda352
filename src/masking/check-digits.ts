// Check digits of numbers that people and accounts go by. Each takes digits as numbers 0–9 and looks at each once.

/** ISO/IEC 7812-1 (Luhn). */
export function luhn(digits: readonly number[]): boolean {
  let sum = 0;
  for (let at = digits.length - 1, twice = false; at >= 0; at--, twice = !twice) {
    const digit = twice ? digits[at]! * 2 : digits[at]!;
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

/** ISO/IEC 7064, MOD 97-10, over letters (A = 10) and digits, in the order given. */
export function mod97(text: string): number {
  let rest = 0;
  for (let at = 0; at < text.length; at++) {
    const value = Number.parseInt(text[at]!, 36);
    if (Number.isNaN(value)) return -1;
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest;
}

/** ISO/IEC 7064, MOD 11,10. */
export function mod1110(digits: readonly number[]): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) product = (((digit + product) % 10 || 10) * 2) % 11;
  return (11 - product) % 10 === digits.at(-1);
}

/** Sum of digit times weight. */
export function weighted(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * (digits[at] ?? 0), 0);
}

// The dihedral group of order ten: its table, and the permutation applied again at each place (Verhoeff 1969).
const times = Array.from({ length: 10 }, (_, a) =>
  Array.from({ length: 10 }, (_, b) =>
    a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b + 10) % 5) : (a - b + 10) % 5,
  ),
);
const turn = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

export function verhoeff(digits: readonly number[]): boolean {
  let check = 0;
  let place = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (let at = digits.length - 1; at >= 0; at--) {
    check = times[check]![place[digits[at]!]!]!;
    place = place.map((digit) => turn[digit]!);
  }
  return check === 0;
}
