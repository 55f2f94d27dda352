import { EyeOff } from 'lucide-react';
import type { ReplayEvent } from '../../../src/api/contract.ts';
import { bytes, looksMasked, plural } from '../words.ts';
import { LongText, SafeText } from './statement-text.tsx';

type Row = readonly (string | null)[];

/** Which columns hold nothing but masked values. A recording does not say; their shape does, and `masks` that there were some. */
function maskedColumns(columns: readonly string[], rows: readonly Row[]): ReadonlySet<number> {
  const masked = new Set<number>();
  for (const index of columns.keys()) {
    const values = rows.map((row) => row[index] ?? null).filter((value) => value !== null);
    if (values.length > 0 && values.every(looksMasked)) masked.add(index);
  }
  return masked;
}

const numeric = /^-?\d+(\.\d+)?$/;

function isNumeric(rows: readonly Row[], index: number): boolean {
  const values = rows.map((row) => row[index] ?? null).filter((value) => value !== null);
  return values.length > 0 && values.every((value) => numeric.test(value));
}

type NotKept = Extract<ReplayEvent, { kind: 'result' }>['unkept'] & object;

/** What the recording's rule left out of a result or a COPY. */
export function Unkept({ of }: { of: NotKept }) {
  return (
    <p className="mt-1 text-xs text-warn">
      {plural(of.rows, 'more row')}, {bytes(of.bytes)}, not kept under the rule <code>{of.rule}</code>. SHA-256 of all:{' '}
      <code className="break-all">{of.sha256}</code>
    </p>
  );
}

/** A result as the client saw it; masked columns stand out. */
export function ResultGrid({
  columns,
  rows,
  total,
  unkept,
  masks,
  label,
}: {
  columns: readonly string[];
  rows: readonly Row[];
  total: number;
  unkept: NotKept | undefined;
  /** Whether anything of the session was masked. */
  masks: boolean;
  label: string;
}) {
  const masked = masks ? maskedColumns(columns, rows) : new Set<number>();
  const right = new Set([...columns.keys()].filter((index) => isNumeric(rows, index)));
  return (
    <div>
      <div
        className="max-h-96 w-fit max-w-full overflow-auto rounded-md border border-line bg-surface"
        tabIndex={0}
        role="region"
        aria-label={label}
      >
        <table className="w-max border-collapse text-[13px]">
          <thead className="sticky top-0 bg-raised text-left">
            <tr>
              {columns.map((name, index) => (
                <th
                  key={index}
                  scope="col"
                  className={`px-3 py-1 font-medium whitespace-nowrap ${masked.has(index) ? 'bg-mask-wash text-mask' : ''} ${right.has(index) ? 'text-right' : ''}`}
                >
                  <SafeText text={name} />
                  {masked.has(index) && (
                    <EyeOff size={13} className="ml-1.5 inline align-[-2px]" role="img" aria-label="masked" />
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index} className="border-t border-line">
                {row.map((cell, column) => (
                  <td
                    key={column}
                    className={`max-w-96 px-3 py-1 align-top font-mono text-xs leading-5 whitespace-pre-wrap [overflow-wrap:normal] ${masked.has(column) ? 'bg-mask-wash text-mask' : ''} ${right.has(column) ? 'text-right' : ''}`}
                  >
                    {cell === null ? (
                      <span className="text-soft italic">NULL</span>
                    ) : (
                      <LongText text={cell} characters={300} lines={6} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {unkept !== undefined && <Unkept of={unkept} />}
      {total - (unkept?.rows ?? 0) > rows.length && (
        <p className="mt-1 text-xs text-soft">
          the first {plural(rows.length, 'row')} of {plural(total, 'row')}
        </p>
      )}
    </div>
  );
}
