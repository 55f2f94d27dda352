import { Activity, BookLock, CheckCheck, List, LogOut, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { Link, NavLink, Outlet } from 'react-router';
import type { Me, Overview } from '../../../src/api/contract.ts';
import { send } from '../api.ts';
import { Badge, Button } from './basics.tsx';

const places = [
  { to: '/', label: 'Now', icon: Activity, end: true },
  { to: '/approvals', label: 'Approvals', icon: CheckCheck, end: false },
  { to: '/sessions', label: 'Sessions', icon: List, end: false },
  { to: '/ledger', label: 'Ledger', icon: BookLock, end: false },
];

function ThemeButton() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'light');
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <Button
      aria-label={`Use the ${other} theme`}
      className="min-w-9 px-2"
      onClick={() => {
        document.documentElement.dataset.theme = other;
        localStorage.setItem('theme', other);
        setTheme(other);
      }}
    >
      {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
    </Button>
  );
}

export function Frame({ me, overview, live }: { me: Me; overview: Overview | undefined; live: boolean }) {
  return (
    <div className="min-h-screen">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-20 focus:m-2 focus:rounded focus:bg-surface focus:p-2"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-10 border-b border-line bg-surface">
        <div className="mx-auto flex max-w-7xl flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
          <Link to="/" className="flex items-center gap-2 font-semibold">
            <img src="/icon.svg" alt="" width={22} height={22} />
            Countersign
          </Link>
          <nav aria-label="Main" className="order-3 -mx-1 flex w-full gap-1 overflow-x-auto sm:order-none sm:w-auto">
            {places.map(({ to, label, icon: Icon, end }) => (
              <NavLink
                key={to}
                to={to}
                end={end}
                className={({ isActive }) =>
                  `flex min-h-9 items-center gap-1.5 rounded-md px-2.5 text-sm whitespace-nowrap ${isActive ? 'bg-raised font-medium text-ink' : 'text-soft hover:text-ink'}`
                }
              >
                <Icon size={15} aria-hidden />
                {label}
                {to === '/approvals' && (overview?.held ?? 0) > 0 && <Badge tone="warn">{overview!.held}</Badge>}
              </NavLink>
            ))}
          </nav>
          <div className="ml-auto flex items-center gap-2 text-sm">
            <span
              className="hidden text-soft md:inline"
              title={live ? 'What changes is shown at once' : 'Reconnecting; what you see may be old'}
            >
              {live ? 'live' : <Badge tone="warn">reconnecting</Badge>}
            </span>
            <span className="max-w-40 truncate" title={`${me.name} · ${me.groups.join(', ')}`}>
              {me.name}
            </span>
            <ThemeButton />
            <Button
              aria-label="Sign out"
              className="min-w-9 px-2"
              onClick={() => void send('/auth/sign-out', {}).finally(() => location.assign('/'))}
            >
              <LogOut size={16} aria-hidden />
            </Button>
          </div>
        </div>
      </header>
      <div role="status" aria-live="polite" className="sr-only">
        {(overview?.held ?? 0) > 0 ? `${overview!.held} held statements wait for approval` : ''}
      </div>
      <main id="content" tabIndex={-1} className="mx-auto max-w-7xl px-4 py-6">
        <Outlet />
      </main>
    </div>
  );
}
