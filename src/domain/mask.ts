import type { Label } from './label.ts';

/**
 * How a value is hidden, strictest first; where several apply, the earlier one counts (test: policy/masks "strictest").
 * `null` tells nothing, `constant` and `full` that there is a value, `hash` which values are equal, `token` their shape too,
 * `partial`, `bucket` and `date` a part of the value itself, and `detect` all of it but what is found in it.
 */
export const maskMethods = [
  'null',
  'constant',
  'full',
  'hash',
  'token',
  'partial',
  'bucket',
  'date',
  'detect',
] as const;
export type MaskMethod = (typeof maskMethods)[number];

/** What a date is cut to, coarsest first. */
export const dateUnits = ['year', 'quarter', 'month', 'day', 'hour'] as const;
export type DateUnit = (typeof dateUnits)[number];

/** A method with its parameter; a method without the parameter that it needs hides everything. */
export interface Method {
  readonly method: MaskMethod;
  /** `partial`: how many of the last characters stay; 4 where absent. */
  readonly keep?: number;
  /** `constant`: what is seen instead. */
  readonly value?: string;
  /** `bucket`: its width. */
  readonly size?: number;
  /** `date`: what is left of it. */
  readonly to?: DateUnit;
}

/** What must be done to one result column before it may leave; an obligation of a decision. */
export interface Mask extends Method {
  readonly label: Label;
  /** Derived values are masked whole: the method cannot know what is left of the original. */
  readonly whole: boolean;
}

/** Characters that `partial` keeps where nothing is said. */
export const keepDefault = 4;

/**
 * Negative when `one` is the stricter, 0 only for equals: a total order, so that nothing depends on the order of labels.
 * Of one method the parameter decides: fewer characters, wider buckets, coarser dates, and the alphabet for constants.
 */
export function byStrictness(one: Method, other: Method): number {
  if (one.method !== other.method) return maskMethods.indexOf(one.method) - maskMethods.indexOf(other.method);
  switch (one.method) {
    case 'partial':
      return (one.keep ?? keepDefault) - (other.keep ?? keepDefault);
    case 'bucket':
      return (other.size ?? Number.POSITIVE_INFINITY) - (one.size ?? Number.POSITIVE_INFINITY) || 0;
    case 'date':
      return unit(one) - unit(other);
    case 'constant': {
      const [left, right] = [one.value ?? '', other.value ?? ''];
      return left < right ? -1 : left > right ? 1 : 0;
    }
    default:
      return 0;
  }
}

const unit = ({ to }: Method): number => (to === undefined ? -1 : dateUnits.indexOf(to));

/** A method in words, as the configuration writes its parameter: `date to month`. */
export function methodInWords({ method, keep, value, size, to }: Method): string {
  if (method === 'partial') return keep === undefined || keep === keepDefault ? method : `partial, keep ${keep}`;
  if (method === 'constant') return `constant ${JSON.stringify(value ?? null)}`;
  if (method === 'bucket') return `bucket of ${size}`;
  return method === 'date' ? `date to ${to}` : method;
}
