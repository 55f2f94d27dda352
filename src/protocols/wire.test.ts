// The driver of conversations: nothing of a session stays behind once both its links are closed.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import type { Link } from '../domain/link.ts';
import type { Permit } from '../domain/permit.ts';
import type { Session } from './protocol.ts';
import { drive, type Ends, type WireInputs, type WireOutputs } from './wire.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function session() {
  const destroyed: string[] = [];
  const link = (name: string) => ({
    write: () => true,
    send: () => true,
    pause: () => undefined,
    resume: () => undefined,
    end: () => undefined,
    destroy: () => void destroyed.push(name),
  });
  let sink: { end(): void } | undefined;
  let outputs: WireOutputs | undefined;
  const wire = drive(
    {
      client: link('client') as unknown as Link,
      target: { ...link('target'), open: (given) => void (sink = given) } as Ends['target'],
      session: { ended: new AbortController().signal } as Session,
      goodbye: () => Buffer.alloc(0),
      permit: {} as Permit,
      reminderMs: 1_000,
      idleMs: 60_000,
      lingerMs: 5_000,
    },
    (given) => {
      outputs = given;
      const nothing = () => undefined;
      return { targetGone: nothing, clientGone: nothing, busy: () => true, kill: nothing } as unknown as WireInputs;
    },
  );
  return {
    wire,
    destroyed,
    targetEnds: () => sink?.end(),
    close: () => outputs?.close({ fault: undefined, cause: 'over' }),
  };
}

test(verifies('bounded', 'no timer outlives the links of a session'), async () => {
  const { wire, close, destroyed, targetEnds } = session();
  expect(vi.getTimerCount()).toBe(1);
  close();
  expect(vi.getTimerCount()).toBe(2);
  targetEnds();
  wire.end();
  expect(vi.getTimerCount()).toBe(0);
  expect(await wire.over).toBe('over');
  expect(destroyed).toEqual([]);
});

test('a peer that does not close its side is cut', () => {
  const { close, destroyed } = session();
  close();
  vi.advanceTimersByTime(5_000);
  expect(destroyed.sort()).toEqual(['client', 'target']);
  expect(vi.getTimerCount()).toBe(0);
});
