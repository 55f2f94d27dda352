// What a target's recordings keep of results and copied data. Statements, errors and notices are always kept (docs/replay.md).

/** All of it; or the first rows of each result and a digest of the whole; or the digest alone. */
export type RecordingRule = 'full' | 'digest' | { readonly rows: number };

/** Most rows that a rule may name. */
export const mostRows = 1_000_000;

/** The rule as records carry it: `full`, `rows 10`, `digest`. */
export function ruleInWords(rule: RecordingRule): string {
  return typeof rule === 'string' ? rule : `rows ${rule.rows}`;
}

/** The rule of a record; undefined when it is none. */
export function readRule(words: unknown): RecordingRule | undefined {
  if (words === 'full' || words === 'digest') return words;
  const rows = typeof words === 'string' ? /^rows ([1-9]\d{0,6})$/.exec(words)?.[1] : undefined;
  return rows !== undefined && Number(rows) <= mostRows ? { rows: Number(rows) } : undefined;
}

export const keptOf = ['rows', 'copy-out', 'copy-in', 'function'] as const;

/** Stands in a recording for what its rule left out of one result. The digest is of the whole, as the client saw or sent it. */
export interface Unkept {
  readonly of: (typeof keptOf)[number];
  /** Rows of the whole; of a textual COPY its lines. */
  readonly rows: number;
  /** Bytes of the whole: of rows as messages, of a COPY as data alone. */
  readonly bytes: number;
  readonly keptRows: number;
  readonly keptBytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** What a recording says was left out; undefined when that is not a line of ours. */
export function readUnkept(value: unknown): Unkept | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { of, rows, bytes, keptRows, keptBytes, sha256 } = value as Record<keyof Unkept, unknown>;
  const kind = keptOf.find((one) => one === of);
  if (!kind || typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (!isCount(rows) || !isCount(bytes) || !isCount(keptRows) || !isCount(keptBytes)) return undefined;
  return keptRows > rows || keptBytes > bytes ? undefined : { of: kind, rows, bytes, keptRows, keptBytes, sha256 };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
