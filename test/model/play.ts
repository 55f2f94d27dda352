// Plays a sequence on one link and returns every message that came back. Where a client would wait for an answer, the direct run finds
// out how many messages come, and the run through the gateway has to bring as many before it goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelRequest, type Message, RawClient, say, type Where } from '../peers/raw-client.ts';
import type { Step } from './sequences.ts';

export interface Played {
  readonly messages: readonly Message[];
  /** Messages received by each wait. */
  readonly marks: readonly number[];
  /** Whether the server slept at each cancel, and was woken by it. */
  readonly woken: readonly boolean[];
  /** Set when a wait was in vain. */
  readonly stuck?: string;
}

/** Nothing more comes from an idle local server after this long. */
const quietMs = 12;
const patienceMs = 4_000;
/** What begins to sleep at all does so by then. */
const fallsAsleepMs = 1_000;
/** What is cancelled says so by then. */
const wakesMs = 1_000;

export function bytesOf(step: Step): Buffer {
  switch (step.do) {
    case 'cancel':
      return Buffer.alloc(0);
    case 'query':
      return say.query(step.sql);
    case 'parse':
      return say.parse(step.name, step.sql, step.types);
    case 'bind':
      return say.bind(step.portal, step.statement, step.values, step.formats, step.results);
    case 'describe':
    case 'close':
      return say[step.do](step.of, step.name);
    case 'execute':
      return say.execute(step.portal, step.limit);
    case 'sync':
    case 'flush':
    case 'copyDone':
      return say[step.do]();
    case 'copyData':
      return say.copyData(Buffer.from(step.data, step.encoding));
    case 'copyFail':
      return say.copyFail(step.reason);
  }
}

const end: readonly Step[] = [
  { do: 'sync', wait: true },
  { do: 'query', sql: 'rollback', wait: true },
  { do: 'query', sql: "select 'the end'", wait: true },
];

/** `guide` is the direct run of the same steps; `sleeps` tells whether the server sleeps over one of the role's statements now. */
export async function play(
  where: Where,
  steps: readonly Step[],
  sleeps: () => Promise<boolean>,
  guide?: Played,
): Promise<Played> {
  const client = await RawClient.open(where);
  const { messages, key } = client;
  messages.length = 0;
  const marks: number[] = [];
  const woken: boolean[] = [];
  let pending: Buffer[] = [];
  let owed = 0;
  const ready = () => messages.reduce((count, { type }) => (type === 'Z' ? count + 1 : count), 0);
  try {
    for (const step of [...steps, ...end]) {
      pending.push(bytesOf(step));
      if (step.do === 'query' || step.do === 'sync') owed++;
      if (!('wait' in step) || !step.wait) continue;
      client.send(Buffer.concat(pending));
      pending = [];
      if (step.do === 'cancel') {
        const expected = guide?.woken[woken.length];
        const since = Date.now();
        let asleep = false;
        // Directly a short look is enough; through the gateway it must come to the same.
        while (expected !== false && !asleep && Date.now() - since < (expected ? patienceMs : fallsAsleepMs)) {
          asleep = await sleeps();
          if (!guide && !asleep && ready() >= owed) break;
          if (!asleep) await sleep(2);
        }
        woken.push(asleep);
        if (asleep) await cancelRequest(where.port, key);
      }
      if (guide) {
        const goal = guide.marks[marks.length] ?? Number.POSITIVE_INFINITY;
        if (!(await client.until((all) => all.length >= goal, patienceMs))) {
          const stuck = `${client.closed ? 'closed' : 'silent'} after ${messages.length} of ${goal} messages, at ${JSON.stringify(step)}`;
          return { messages, marks, woken, stuck };
        }
      } else {
        const last = step === end.at(-1);
        const done = () =>
          last ? messages.at(-1)?.type === 'Z' && theEnd(messages) : step.do !== 'flush' && ready() >= owed;
        await client.until(done, last ? patienceMs : step.do === 'cancel' ? wakesMs : quietMs);
        // What the server skipped or ignored is not owed.
        owed = ready();
      }
      marks.push(messages.length);
      if (client.closed) break;
    }
    return { messages, marks, woken };
  } finally {
    client.send(say.terminate());
    client.end();
  }
}

const theEnd = (messages: readonly Message[]) =>
  messages.some(({ type, body }) => type === 'D' && body.includes('the end'));
