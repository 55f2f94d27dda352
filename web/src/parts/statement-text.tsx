import { useEffect, useRef, useState } from 'react';
import { beginning, countMarked, type Mark, pieces } from '../safe-text.ts';
import { number, plural } from '../words.ts';

const reasons: Record<Mark, string> = {
  control: 'control character',
  bidi: 'changes the reading direction',
  invisible: 'invisible, or an unusual space',
  combining: 'changes the letter before it',
  lookalike: 'looks like another character',
};

/** A text from an agent: data, never markup. Characters that could deceive are shown by their code point. */
export function SafeText({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece, index) =>
        piece.mark === undefined ? (
          <span key={index}>{piece.text}</span>
        ) : (
          <mark
            key={index}
            title={reasons[piece.mark]}
            className="mx-px rounded bg-bad-wash px-0.5 text-[0.9em] text-bad [unicode-bidi:isolate]"
          >
            {piece.mark === 'lookalike' && <span className="underline decoration-dotted">{piece.text}</span>}
            <span className={piece.mark === 'lookalike' ? 'ml-0.5 text-[0.8em] opacity-90' : ''}>{piece.note}</span>
          </mark>
        ),
      )}
    </>
  );
}

/** The beginning of a text that may be long, and a button that shows the rest; it says how much that is. */
export function LongText({
  text,
  characters = 1_500,
  lines = 14,
}: {
  text: string;
  characters?: number;
  lines?: number;
}) {
  const [all, setAll] = useState(false);
  const part = beginning(text, { characters, lines });
  if (all || part.characters === 0) return <SafeText text={text} />;
  return (
    <>
      <SafeText text={part.shown} />{' '}
      <button
        type="button"
        className="rounded bg-raised px-1.5 font-sans text-xs font-medium text-ink hover:text-accent"
        onClick={() => setAll(true)}
      >
        {part.lines > 0 ? plural(part.lines, 'more line') : plural(part.characters, 'more character')}
      </button>
    </>
  );
}

/** Bound values as they were recorded. */
export function Parameters({ values }: { values: readonly (string | null)[] }) {
  return (
    <ol className="font-mono text-xs">
      {values.map((value, index) => (
        <li key={index} className="min-w-0 whitespace-pre-wrap">
          <span className="text-soft">${index + 1} = </span>
          {value === null ? <span className="text-soft italic">NULL</span> : <LongText text={value} />}
        </li>
      ))}
    </ol>
  );
}

/**
 * A whole statement for someone who decides: scrollable, never cut. `onSeen` is called once its end was scrolled into the box,
 * so that nobody agrees to what stood below its edge.
 */
export function StatementText({ text, onSeen }: { text: string; onSeen?: () => void }) {
  const box = useRef<HTMLPreElement>(null);
  const [below, setBelow] = useState(0);
  const marked = countMarked(text);
  const lines = text.split('\n').length;

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      const hidden = element.scrollHeight - element.clientHeight - element.scrollTop;
      const line = Number.parseFloat(getComputedStyle(element).lineHeight) || 20;
      setBelow(hidden <= 2 ? 0 : Math.ceil(hidden / line));
      if (hidden <= 2) onSeen?.();
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    const resize = new ResizeObserver(look);
    resize.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      resize.disconnect();
    };
  }, [onSeen]);

  return (
    <div>
      {/* Scrollable regions must be reachable by keyboard. */}
      <pre
        ref={box}
        tabIndex={0}
        role="region"
        aria-label="Statement"
        className="max-h-[min(28rem,55vh)] overflow-auto rounded-md border border-line bg-page px-4 py-3 font-mono text-[15px] leading-6 whitespace-pre-wrap"
      >
        <SafeText text={text} />
      </pre>
      <p className="mt-1.5 flex min-h-5 flex-wrap gap-x-3 text-xs text-soft" aria-live="polite">
        <span>
          {plural(lines, 'line')}, {number(text.length)} characters
        </span>
        {marked > 0 && <strong className="text-bad">{plural(marked, 'unusual character')} made visible</strong>}
        {below > 0 && <strong className="text-warn">{plural(below, 'more line')} below: scroll on</strong>}
      </p>
    </div>
  );
}
