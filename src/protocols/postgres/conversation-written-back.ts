// Bound values that a mask made: never written, and those that stand for one value never compared, because no row holds them.
import { changesState } from '../../domain/effect.ts';
import { keyless, type WrittenBack } from '../../masking/written-back.ts';
import type { Analysis } from '../../sql/analysis.ts';
import { placeOf } from '../../sql/literals.ts';
import { type Bind, formatAt } from './codec-extended.ts';
import type { Refusal } from './faults.ts';

/** What to answer for the first parameter that a mask made; undefined when there is none. */
export function maskedBack(
  back: WrittenBack = keyless,
  bind: Bind,
  types: readonly number[],
  analysis: Analysis,
): Refusal | undefined {
  if (analysis.sensitiveParameters.size === 0) return undefined;
  const writes = changesState(analysis.meaning.effects);
  const { labels, parameters } = analysis.near ?? {};
  for (const number of analysis.sensitiveParameters) {
    const value = bind.parameters[number - 1];
    if (!value) continue;
    const place = placeOf(parameters ? parameters.get(number) : 'any', labels);
    const made = back.value(value, formatAt(bind.formats, number - 1), types[number - 1] ?? 0, place);
    if (made === 'pseudonym')
      return {
        severity: 'ERROR',
        code: '42501',
        message: `parameter $${number} is a token of a masked value: it can be neither written nor compared`,
        hint: 'No row holds it. Leave it out, join on the column, or send the real value.',
      };
    if (made === 'mask' && writes)
      return {
        severity: 'ERROR',
        code: '42501',
        message: `parameter $${number} is a masked value: writing it back would destroy what it hides`,
        hint: 'Leave the column out of the statement, or send its real value.',
      };
  }
  return undefined;
}
