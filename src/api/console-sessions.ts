// Sessions of people signed in to the console: an opaque random id in a cookie, everything else in memory here. They end with
// the process, after a time without use, and after a working day in any case.
import { randomBytes } from 'node:crypto';
import type { Principal } from '../domain/principal.ts';

export interface ConsoleSession {
  readonly principal: Principal;
  readonly opened: number;
  used: number;
}

export interface ConsoleSessions {
  /** A fresh id, 256 random bits. */
  open(principal: Principal, at: number): string;
  find(id: string, at: number): ConsoleSession | undefined;
  /** Whether it is still open; looking does not count as use. */
  isOpen(id: string, at: number): boolean;
  close(id: string): void;
}

export interface ConsoleSessionLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly most: number;
}

export const consoleSessionLimits: ConsoleSessionLimits = {
  idleMs: 30 * 60_000,
  absoluteMs: 8 * 3_600_000,
  most: 10_000,
};

/** Times in milliseconds since the epoch. Beyond the most, the one used longest ago is signed out. */
export function openConsoleSessions(limits: ConsoleSessionLimits = consoleSessionLimits): ConsoleSessions {
  const sessions = new Map<string, ConsoleSession>();
  const over = (session: ConsoleSession, at: number) =>
    at - session.used > limits.idleMs || at - session.opened > limits.absoluteMs;
  return {
    open(principal, at) {
      const id = randomBytes(32).toString('base64url');
      if (sessions.size >= limits.most) sessions.delete(sessions.keys().next().value!);
      sessions.set(id, { principal, opened: at, used: at });
      return id;
    },
    find(id, at) {
      const session = sessions.get(id);
      if (!session) return undefined;
      sessions.delete(id);
      if (over(session, at)) return undefined;
      session.used = at;
      sessions.set(id, session);
      return session;
    },
    isOpen(id, at) {
      const session = sessions.get(id);
      return session !== undefined && !over(session, at);
    },
    close: (id) => void sessions.delete(id),
  };
}
