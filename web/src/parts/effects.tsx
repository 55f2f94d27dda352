import { useState } from 'react';
import type { EffectRow } from '../../../src/api/contract.ts';
import { effectInWords, plural, weight } from '../words.ts';
import { SafeText } from './statement-text.tsx';

const tones = { reads: 'text-soft', changes: 'text-warn', destroys: 'text-bad' };

/** What a statement does, in words. With `most`, the first few and a button for the rest; never fewer without saying so. */
export function Effects({
  effects,
  most = Number.POSITIVE_INFINITY,
}: {
  effects: readonly EffectRow[];
  most?: number;
}) {
  const [all, setAll] = useState(false);
  const shown = all ? effects : effects.slice(0, most);
  const hidden = effects.length - shown.length;
  if (effects.length === 0) return <span className="text-soft">touches no table</span>;
  return (
    <span>
      {shown.map((effect, index) => (
        <span key={index} className={tones[weight(effect)]}>
          <SafeText text={effectInWords(effect)} />
          {index < shown.length - 1 && <span className="text-soft"> · </span>}
        </span>
      ))}
      {hidden > 0 && (
        <>
          <span className="text-soft"> · </span>
          <button
            type="button"
            className="rounded bg-raised px-1.5 text-xs font-medium hover:text-accent"
            onClick={() => setAll(true)}
          >
            {hidden} more<span className="sr-only"> {plural(hidden, 'effect').replace(/^\S+ /, '')}</span>
          </button>
        </>
      )}
    </span>
  );
}

/** One effect a line, as large as the decision about it. */
export function EffectList({ effects }: { effects: readonly EffectRow[] }) {
  if (effects.length === 0) return <p>It touches no table.</p>;
  return (
    <ul className="flex flex-col gap-1">
      {effects.map((effect, index) => (
        <li key={index} className="flex items-baseline gap-2 text-base font-medium">
          <span
            aria-hidden
            className={`size-2 shrink-0 self-center rounded-full bg-current ${tones[weight(effect)]}`}
          />
          <span className="min-w-0">
            <SafeText text={effectInWords(effect)} />
          </span>
        </li>
      ))}
    </ul>
  );
}
