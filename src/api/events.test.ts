// Live events: what reaches whom, how soon it is let go, and that the sum is bounded.
import { expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import type { LiveEvent } from './contract.ts';
import { eventLimits } from './events.ts';
import { Browser, hold, run, type World, world } from './world.suite.ts';

interface Listener {
  readonly events: LiveEvent[];
  readonly response: Response;
  readonly ended: Promise<void>;
  stop(): void;
}

async function listen(of: World, headers: Record<string, string>): Promise<Listener> {
  const abort = new AbortController();
  const response = await fetch(`${of.url}/api/events`, { headers, signal: abort.signal });
  const events: LiveEvent[] = [];
  const ended = (async () => {
    let text = '';
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const whole = text.split('\n\n');
        text = whole.pop()!;
        for (const one of whole) if (one.startsWith('data: ')) events.push(JSON.parse(one.slice(6)) as LiveEvent);
      }
    } catch {
      // Ended by either side.
    }
  })();
  return { events, response, ended, stop: () => abort.abort() };
}

const as = async (of: World, who: string) => listen(of, { authorization: `Bearer ${await of.token(who)}` });

test('holds, sessions and statements are told to those who may see them', async () => {
  const of = await world();
  const viewer = await as(of, 'omar');
  const agent = await as(of, 'reporting-agent');
  expect(viewer.response.headers.get('content-type')).toBe('text/event-stream');
  expect(viewer.response.headers.get('cache-control')).toBe('no-store');
  expect(viewer.response.headers.get('content-security-policy')).toContain("default-src 'none'");
  const mine = await of.session('reporting-agent');
  const other = await of.session('migration-agent');
  await run(mine, 'select 1');
  await run(other, 'select 2');
  const { id } = await hold(other, 'delete from orders where id = 7');
  await expect.poll(() => viewer.events).toContainEqual({ kind: 'approval', id });
  await expect
    .poll(() => viewer.events, { timeout: 5_000 })
    .toContainEqual({ kind: 'statements', session: other.id, latest: 2 });
  expect(viewer.events).toContainEqual({ kind: 'session', id: mine.id });
  await expect
    .poll(() => agent.events, { timeout: 5_000 })
    .toContainEqual({ kind: 'statements', session: mine.id, latest: 1 });
  await expect.poll(() => agent.events.some((event) => event.kind === 'ledger'), { timeout: 5_000 }).toBe(true);
  expect(agent.events).toContainEqual({ kind: 'session', id: mine.id });
  expect(JSON.stringify(agent.events)).not.toContain(other.id);
  expect(JSON.stringify(agent.events)).not.toContain(id);
  viewer.stop();
  agent.stop();
});

test(verifies('bounded', 'the number of live streams is limited, and signing out ends one'), async () => {
  const of = await world();
  const browser = new Browser();
  await browser.signIn(of, 'dana');
  const cookie = `countersign=${browser.cookies.get('countersign')}`;
  const line = await listen(of, { cookie });
  await browser.go(`${of.url}/auth/sign-out`, { method: 'POST', headers: { origin: of.url, 'x-countersign': '1' } });
  await of.session();
  await line.ended;
  expect(line.events).toEqual([]);
  const lines = [];
  for (let n = 0; n < eventLimits.clientsPerPrincipal; n++) lines.push(await as(of, 'omar'));
  expect((await as(of, 'omar')).response.status).toBe(429);
  expect((await as(of, 'dana')).response.status).toBe(200);
  lines[0]!.stop();
  await expect.poll(async () => (await as(of, 'omar')).response.status).toBe(200);
});
