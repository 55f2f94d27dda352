// Many clients at once, each with words of its own in all it says, while cancels fly: nothing of one ever reaches another.
// COUNTERSIGN_CROSSTALK sets how many clients, COUNTERSIGN_CROSSTALK_SECONDS for how long.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelRequest, type Message, RawClient, say } from '../peers/raw-client.ts';
import { type Arena, openArena } from './arena.ts';
import { report } from './compare.ts';

const clients = Number(process.env.COUNTERSIGN_CROSSTALK ?? 60);
const forMs = Number(process.env.COUNTERSIGN_CROSSTALK_SECONDS ?? 4) * 1_000;
let arena: Arena;

beforeAll(
  async () => {
    arena = await openArena({ schema: 'create table notes (word text primary key)', connections: clients + 40 });
  },
  60_000 + forMs * 2,
);
afterAll(() => arena?.stop(), 60_000);

interface Tally {
  rounds: number;
  sent: number;
  cancelled: number;
  unharmed: number;
}

const hasError = (all: readonly Message[]) => all.some(({ type }) => type === 'E');

/** What a client with this word may be told in a round: its own rows and errors, or that it was cancelled. */
async function life(index: number, until: number, tally: Tally, wrong: string[]): Promise<void> {
  const word = `w${index}x${randomBytes(6).toString('hex')}`;
  const mayCancel = index % 3 !== 0;
  const client = await RawClient.open({ ...arena.gateway, parameters: { application_name: word } });
  const { key, messages } = client;
  let cancels = 0;
  let hits = 0;
  const kinds = [
    (tag: string) => say.query(`select '${tag}', pg_sleep(${mayCancel ? 60 : 0.1})`),
    (tag: string) => say.query(`select '${tag}'::int`),
    (tag: string) => say.query(`select '${tag}' from generate_series(1, 300)`),
    (tag: string) => say.query(`select pg_notify('${word}', '${tag}')`),
    (tag: string) => say.query(`copy (select '${tag}' from generate_series(1, 20)) to stdout`),
    (tag: string) => say.query(`begin; insert into notes values ('${tag}'); insert into notes values ('${tag}')`),
    (tag: string) =>
      Buffer.concat([
        say.parse('mine', 'select $1::text, pg_sleep(0.02)'),
        say.bind('', 'mine', [tag]),
        say.execute(''),
        say.close('S', 'mine'),
        say.sync(),
      ]),
  ];
  const ready = async (count: number) => {
    const all = () => messages.reduce((sum, { type }) => (type === 'Z' ? sum + 1 : sum), 0);
    if (await client.until(() => all() >= count, 20_000)) return true;
    wrong.push(`${word}: ${client.closed ? 'closed' : 'no answer'} after ${messages.map(({ type }) => type).join('')}`);
    return false;
  };
  messages.length = 0;
  client.send(say.query(`listen ${word}`));
  if (!(await ready(1))) return;
  for (let round = 0; round < 3 || performance.now() < until; round++) {
    const tag = `${word}r${round}`;
    // Who never asks for a cancel sleeps most of the time: only there can one of another's be told from its own.
    const sleeps = round === 0 || (!mayCancel && Math.random() < 0.7);
    const kind = sleeps ? 0 : Math.floor(Math.random() * kinds.length);
    messages.length = 0;
    client.send(Buffer.concat([kinds[kind]!(tag), say.query('rollback')]));
    const cancelling: Promise<void>[] = [];
    const cancel = async () => {
      await sleep(Math.random() * 20);
      cancels++;
      cancelling.push(cancelRequest(arena.gateway.port, key));
    };
    if (mayCancel && kind === 0) {
      // Only a cancel ends this one; a request that comes before it runs is in vain, so it is said again.
      for (let tries = 0; tries < 40 && !hasError(messages); tries++) {
        await cancel();
        await client.until(hasError, 500);
      }
    } else if (mayCancel && Math.random() < 0.3) await cancel();
    if (!(await ready(2))) break;
    await Promise.all(cancelling);
    for (const { type, body } of messages) {
      const text = body.toString('latin1');
      // A word of any client, with its round: only the own one of this round may be there.
      for (const [found] of text.matchAll(/w\d+x[0-9a-f]{12}(?:r\d+)?/g))
        if (found !== tag && found !== word) wrong.push(`${tag} got ${found} in ${type}`);
      if (type === 'D' || type === 'd') {
        if (!text.includes(tag) && kind !== 3) wrong.push(`${tag} got a row without its word`);
      } else if (type === 'E') {
        const code = new Map(report(body)).get('C');
        if (code === '57014') hits++;
        else if (
          !(code === '22P02' || code === '23505' || code === '25P02') ||
          (code !== '25P02' && !text.includes(tag))
        )
          wrong.push(`${tag} got ${text}`);
      }
    }
    if (hits > cancels) wrong.push(`${word} was cancelled ${hits} times and asked for ${cancels}`);
    tally.rounds++;
  }
  tally.sent += cancels;
  tally.cancelled += hits;
  if (!mayCancel) tally.unharmed++;
  client.send(say.terminate());
  client.end();
}

test(
  `no row, error, notification or cancel of one of ${clients} clients reaches another`,
  async () => {
    const tally: Tally = { rounds: 0, sent: 0, cancelled: 0, unharmed: 0 };
    const wrong: string[] = [];
    const until = performance.now() + forMs;
    await Promise.all(Array.from({ length: clients }, (_, index) => life(index, until, tally, wrong)));
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(tally.rounds).toBeGreaterThanOrEqual(clients * 3);
    expect(tally.cancelled).toBeGreaterThan(0);
    expect(tally.unharmed).toBeGreaterThan(0);
    // A key that is nobody's, or almost somebody's, does nothing.
    const bystander = await RawClient.open(arena.gateway);
    const forged = Buffer.from(bystander.key);
    forged[forged.length - 1]! ^= 1;
    bystander.messages.length = 0;
    bystander.send(say.query("select 'still here', pg_sleep(0.2)"));
    await sleep(50);
    await Promise.all([cancelRequest(arena.gateway.port, forged), cancelRequest(arena.gateway.port, randomBytes(8))]);
    await bystander.until((all) => all.some(({ type }) => type === 'Z'), 5_000);
    expect(bystander.messages.map(({ type }) => type).join('')).toBe('TDCZ');
    bystander.end();
  },
  60_000 + forMs * 2,
);
