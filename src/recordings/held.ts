// Whether a recording holds what its seal says: the only check that needs its key (docs/ledger-format.md, "Recordings").
import { readRule, readUnkept } from '../domain/recording-rule.ts';
import type { RecordingSeal } from '../ledger/verify-recordings.ts';
import type { RecordedFrame } from './frames.ts';

/** What is wrong, in words; undefined when nothing is. A recording from before there were rules holds what it holds. */
export async function wrongOf(frames: AsyncIterable<RecordedFrame>, seal: RecordingSeal): Promise<string | undefined> {
  const { rule: words, kept, unkept } = seal;
  const rule = readRule(words);
  if (rule === undefined || !kept) return undefined;
  const found = { client: 0, target: 0 };
  const left = { client: 0, target: 0, rows: 0 };
  let first: string | undefined;
  for await (const { kind, bytes } of frames) {
    if (kind !== 'meta') {
      found[kind] += bytes.length;
      continue;
    }
    const line = lineOf(bytes);
    if (first === undefined && typeof line.rule === 'string') first = line.rule;
    if (line.unkept === undefined) continue;
    const of = readUnkept(line.unkept);
    if (!of) return 'it says of something left out what cannot be';
    left[of.of === 'copy-in' ? 'client' : 'target'] += of.bytes - of.keptBytes;
    left.rows += of.rows - of.keptRows;
    const promised = rule === 'full' ? of.rows : rule === 'digest' ? 0 : Math.min(rule.rows, of.rows);
    if (of.keptRows < promised) return `it holds ${of.keptRows} rows of a result where its rule promises ${promised}`;
  }
  if (first !== words) return `it begins under the rule ${first ?? 'none'}, its seal says ${words}`;
  for (const side of ['client', 'target'] as const) {
    if (found[side] !== kept[side]) return `it holds ${found[side]} bytes of the ${side}, its seal says ${kept[side]}`;
    if (left[side] !== (unkept?.[side] ?? 0))
      return `it left out ${left[side]} bytes of the ${side}, its seal says ${unkept?.[side] ?? 0}`;
  }
  return left.rows === (unkept?.rows ?? 0)
    ? undefined
    : `it left out ${left.rows} rows, its seal says ${unkept?.rows ?? 0}`;
}

function lineOf(bytes: Buffer): { readonly rule?: unknown; readonly unkept?: unknown } {
  try {
    return (JSON.parse(bytes.toString('utf8')) as object | null) ?? {};
  } catch {
    return { unkept: null };
  }
}
