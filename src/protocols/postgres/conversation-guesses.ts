// How many values of the client's own a statement puts beside labelled columns, bound parameters counted (session/budget.ts).
import type { Guess } from '../../domain/statement.ts';
import type { Analysis } from '../../sql/analysis.ts';
import { type Bind, formatAt } from './codec-extended.ts';

/** Undefined where nothing labelled is met, so that other statements pay nothing. */
export function guessesOf({ matches }: Analysis, bind?: Bind): readonly Guess[] | undefined {
  return matches?.map(({ labels, values, parameters, rows }) => {
    let bound = 0;
    for (const { number, array } of parameters) bound += array ? elements(bind, number - 1) : 1;
    return { labels, values: values + bound, rows };
  });
}

/** Elements of an array in either format: at least as many as it has. */
function elements(bind: Bind | undefined, index: number): number {
  const value = bind?.parameters[index];
  if (!bind || !value) return 1;
  if (formatAt(bind.formats, index) === 0) {
    let commas = 1;
    for (const byte of value) if (byte === 0x2c) commas++;
    return commas;
  }
  // Dimensions, null flag, element type, then length and lower bound of each dimension; every element has four bytes of length.
  return Math.max(1, Math.floor((value.length - 12) / 4));
}
