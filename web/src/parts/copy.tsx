import { Check, Copy as CopyIcon } from 'lucide-react';
import { useEffect, useState } from 'react';

/** Puts a text on the clipboard. Absent where the browser has none, such as over plain HTTP from afar. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  if (!globalThis.isSecureContext) return null;
  return (
    <button
      type="button"
      aria-label={copied ? `Copied ${what}` : `Copy ${what}`}
      title={copied ? 'Copied' : `Copy ${what}`}
      className="-my-1 ml-0.5 inline-flex size-6 shrink-0 items-center justify-center rounded align-middle text-soft hover:bg-raised hover:text-ink"
      onClick={() =>
        void navigator.clipboard.writeText(text).then(
          () => setCopied(true),
          () => {},
        )
      }
    >
      {copied ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
    </button>
  );
}
