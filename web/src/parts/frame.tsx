import { Activity, BookLock, CheckCheck, List, LogOut, Moon, ScrollText, Sun } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Link, NavLink, Outlet, useLocation, useNavigationType } from 'react-router';
import type { Me, Overview } from '../../../src/api/contract.ts';
import { type Line, send } from '../api.ts';
import { plural } from '../words.ts';
import { Badge, Button } from './basics.tsx';

const places = [
  { to: '/', label: 'Now', icon: Activity, end: true },
  { to: '/approvals', label: 'Approvals', icon: CheckCheck, end: false },
  { to: '/sessions', label: 'Sessions', icon: List, end: false },
  { to: '/policies', label: 'Policies', icon: ScrollText, end: false },
  { to: '/ledger', label: 'Ledger', icon: BookLock, end: false },
];

/** The theme itself is set by theme.js, before the first paint. */
function switchTheme(): void {
  const { dataset } = document.documentElement;
  dataset.theme = dataset.theme === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem('theme', dataset.theme);
  } catch {
    // Then it lasts as long as the page.
  }
}

function LineState({ line }: { line: Line }) {
  const lost = line === 'lost';
  return (
    <span
      role="status"
      className={`flex items-center gap-1.5 text-xs ${lost ? 'font-medium text-warn' : 'text-soft'}`}
      title={lost ? 'The gateway does not answer; what you see may be old' : 'What changes is shown at once'}
    >
      <span aria-hidden className={`size-2 rounded-full ${lost ? 'bg-warn' : line === 'up' ? 'bg-good' : 'bg-line'}`} />
      <span className={lost ? '' : 'sr-only md:not-sr-only'}>{lost ? 'Reconnecting' : 'Live'}</span>
    </span>
  );
}

/** A new page begins at its top, and the keyboard goes on from there. Back and forward keep their place. */
function useBeginning() {
  const main = useRef<HTMLElement>(null);
  const { pathname, hash } = useLocation();
  const how: string = useNavigationType();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    if (how === 'POP' || hash) return;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname, hash, how]);
  return main;
}

export function Frame({ me, overview, line }: { me: Me; overview: Overview | undefined; line: Line }) {
  const main = useBeginning();
  const held = overview?.held ?? 0;
  return (
    <div className="flex min-h-screen flex-col">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:z-20 focus:m-2 focus:rounded focus:bg-surface focus:p-2"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-10 border-b border-line bg-surface">
        <div className="mx-auto flex max-w-7xl flex-wrap items-center gap-x-5 px-4 sm:min-h-13">
          <Link to="/" className="flex min-h-11 items-center gap-2 font-semibold">
            <img src="/icon.svg" alt="" width={22} height={22} />
            Countersign
          </Link>
          <nav
            aria-label="Main"
            className="order-3 -mx-2 flex w-[calc(100%+1rem)] justify-between pb-1 sm:order-none sm:mx-0 sm:w-auto sm:justify-start sm:gap-1 sm:pb-0"
          >
            {places.map(({ to, label, icon: Icon, end }) => (
              <NavLink
                key={to}
                to={to}
                end={end}
                className={({ isActive }) =>
                  `flex min-h-9 items-center gap-1 rounded-md px-1.5 text-[13px] whitespace-nowrap sm:gap-1.5 sm:px-2.5 sm:text-sm ${isActive ? 'bg-raised font-medium text-ink' : 'text-soft hover:text-ink'}`
                }
              >
                <Icon size={15} aria-hidden className="hidden sm:block" />
                {label}
                {to === '/approvals' && held > 0 && (
                  <Badge tone="warn">
                    {held}
                    <span className="sr-only"> waiting</span>
                  </Badge>
                )}
              </NavLink>
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-1">
            <LineState line={line} />
            <span
              className="ml-3 hidden max-w-48 truncate sm:inline"
              title={`Groups: ${me.groups.join(', ') || 'none'}`}
            >
              {me.name}
            </span>
            <Button
              look="quiet"
              className="ml-1 min-w-9 px-2"
              aria-label="Switch between light and dark"
              onClick={switchTheme}
            >
              <Sun size={16} aria-hidden className="hidden dark:block" />
              <Moon size={16} aria-hidden className="dark:hidden" />
            </Button>
            <Button
              look="quiet"
              className="min-w-9 px-2"
              aria-label={`Sign out ${me.name}`}
              title={`Sign out ${me.name}`}
              onClick={() => void send('/auth/sign-out', {}).finally(() => location.assign('/'))}
            >
              <LogOut size={16} aria-hidden />
            </Button>
          </div>
        </div>
      </header>
      <div role="status" aria-live="polite" className="sr-only">
        {held > 0 ? `${plural(held, 'held statement')} ${held === 1 ? 'waits' : 'wait'} for approval` : ''}
      </div>
      <main ref={main} id="content" tabIndex={-1} className="mx-auto w-full max-w-7xl grow px-4 pt-5 pb-10">
        <Outlet />
      </main>
    </div>
  );
}
