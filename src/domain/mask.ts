import type { Label } from './label.ts';

/** How a value is hidden. Strictest first: `null` tells least, `partial` most. */
export const maskMethods = ['null', 'full', 'hash', 'partial'] as const;
export type MaskMethod = (typeof maskMethods)[number];

/** What must be done to one result column before it may leave; an obligation of a decision. */
export interface Mask {
  readonly label: Label;
  readonly method: MaskMethod;
  /** Derived values are masked whole: the method cannot know what is left of the original. */
  readonly whole: boolean;
}
