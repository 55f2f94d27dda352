import type { ButtonHTMLAttributes, ReactNode } from 'react';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'mask' | 'accent';

const tones: Record<Tone, string> = {
  plain: 'bg-raised text-ink',
  good: 'bg-good-wash text-good',
  warn: 'bg-warn-wash text-warn',
  bad: 'bg-bad-wash text-bad',
  mask: 'bg-mask-wash text-mask',
  accent: 'bg-accent-wash text-accent',
};

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1 rounded px-1.5 py-px text-xs font-medium tabular-nums ${tones[tone]}`}
    >
      {children}
    </span>
  );
}

const buttons = {
  plain: 'border border-line bg-surface text-ink hover:bg-raised',
  primary: 'border border-transparent bg-accent text-accent-ink hover:bg-accent-strong',
  danger: 'border border-bad/40 bg-surface text-bad hover:bg-bad-wash',
  quiet: 'border border-transparent text-soft hover:bg-raised hover:text-ink',
};

export function Button({
  look = 'plain',
  className = '',
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: keyof typeof buttons }) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md px-3 py-1 font-medium disabled:cursor-not-allowed disabled:opacity-55 ${buttons[look]} ${className}`}
    />
  );
}

/** Classes of a link inside text. */
export const link = 'text-accent underline decoration-accent/40 underline-offset-2 hover:decoration-current';

/** Classes of a field to type in. */
export const field = 'min-h-9 min-w-0 rounded-md border border-edge bg-surface px-2 text-sm text-ink';

/** `flush` is for lists, whose rows reach from edge to edge. */
export function Card({
  title,
  aside,
  flush = false,
  children,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className="min-w-0 overflow-clip rounded-lg border border-line bg-surface">
      {title !== undefined && (
        <header className="flex min-h-10 flex-wrap items-center justify-between gap-x-3 border-b border-line px-4 py-1.5">
          <h2 className="font-semibold">{title}</h2>
          {aside}
        </header>
      )}
      <div className={flush ? '' : 'p-4'}>{children}</div>
    </section>
  );
}

/** Nothing here yet: says why, and what to do to see something. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="px-4 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="mx-auto mt-1 max-w-prose text-soft">{children}</div>}
    </div>
  );
}

export function Code({ children }: { children: ReactNode }) {
  return <code className="rounded bg-raised px-1 py-0.5 font-mono text-xs text-ink">{children}</code>;
}

export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(4.5rem,auto)_minmax(0,1fr)] gap-x-3 gap-y-1.5">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** `tall` keeps what stands below out of sight until then, so that it does not jump. */
export function Loading({ what, tall = false }: { what: string; tall?: boolean }) {
  return (
    <p role="status" className={`px-4 py-10 text-center text-soft ${tall ? 'min-h-screen' : ''}`}>
      Loading {what} …
    </p>
  );
}

/** One more page of a list. */
export function More({ busy, onClick, children }: { busy: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <div className="border-t border-line p-2 text-center">
      <Button look="quiet" disabled={busy} onClick={onClick}>
        {children}
      </Button>
    </div>
  );
}
