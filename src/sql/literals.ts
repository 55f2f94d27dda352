// Literals that a mask made and that come back: found in the tree, where every way of writing a string is the same.
import type { Label } from '../domain/label.ts';
import type { Made, WrittenBack } from '../masking/written-back.ts';
import type { Tree } from './parse.ts';
import type { RecordedPart } from './recorded.ts';

/** What is known of one statement's literals. */
export interface Meeting extends Pick<RecordedPart, 'mask' | 'sensitive' | 'placed'> {
  /** Labels of the columns that it touches; absent when it could touch any. */
  readonly labels?: ReadonlySet<Label>;
}

/** The strongest of what the literals near labelled columns are; undefined when they are the client's own. */
export function madeByMask(tree: Tree, near: Meeting, back: WrittenBack): Made | undefined {
  if (near.mask === 'none') return undefined;
  let found: Made | undefined;
  eachConstant(tree, (location, value) => {
    const meets = near.sensitive.has(location);
    if (found === 'pseudonym' || (near.placed.has(location) && !meets)) return;
    found = back.text(value, { labels: near.labels, meets }) ?? found;
  });
  return found;
}

interface Constant {
  readonly location?: number;
  readonly sval?: { readonly sval?: string };
  readonly ival?: { readonly ival?: number };
  readonly fval?: { readonly fval?: string };
}

/** The parser has read escapes, quotes and the sign of a number already. */
function eachConstant(value: unknown, on: (location: number, value: string) => void): void {
  if (value === null || typeof value !== 'object') return;
  if (Array.isArray(value)) {
    for (const item of value) eachConstant(item, on);
    return;
  }
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === null || typeof inner !== 'object') continue;
    if (key !== 'A_Const') {
      eachConstant(inner, on);
      continue;
    }
    const { location = 0, sval, ival, fval } = inner as Constant;
    const text = sval?.sval ?? fval?.fval ?? (ival ? String(ival.ival ?? 0) : undefined);
    if (text !== undefined) on(location, text);
  }
}
