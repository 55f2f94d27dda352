import { useEffect, useRef, useState } from 'react';
import { countMarked, pieces } from '../safe-text.ts';
import { plural } from '../words.ts';

const reasons = {
  control: 'control character',
  bidi: 'changes the reading direction',
  invisible: 'invisible or unusual space',
  lookalike: 'looks like another letter',
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
            className="mx-px rounded bg-bad-wash px-1 text-[0.85em] text-bad"
          >
            {piece.text}
          </mark>
        ),
      )}
    </>
  );
}

/**
 * A whole statement for someone who decides: scrollable, never cut. `onSeen` is called once its end was on screen, so that nobody agrees
 * to what stood below the fold.
 */
export function StatementText({ text, onSeen }: { text: string; onSeen?: () => void }) {
  const box = useRef<HTMLPreElement>(null);
  const [below, setBelow] = useState(0);
  const marked = countMarked(text);

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
        className="max-h-80 overflow-auto rounded-md border border-line bg-page p-3 font-mono text-sm break-words whitespace-pre-wrap"
      >
        <SafeText text={text} />
      </pre>
      <p className="mt-1 min-h-5 text-xs text-soft" aria-live="polite">
        {text.length.toLocaleString('en')} characters
        {marked > 0 && <strong className="text-bad"> · {plural(marked, 'unusual character')} made visible</strong>}
        {below > 0 && <strong className="text-warn"> · {plural(below, 'more line')} below</strong>}
      </p>
    </div>
  );
}
