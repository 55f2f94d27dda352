// An agent tries to find out a nine-digit value that arrives masked. What is blocked answers the same whatever the value is; what
// carries the guess is answered for a thousand values a session (docs/policy.md, "What an agent can find out").
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Message, type RawClient, say } from '../../peers/raw-client.ts';
import { verifies } from '../../requirements.ts';
import { type Arena, openArena, type Road } from '../postgres/arena.ts';
import { blocked, counted } from './attacks.ts';

const limit = 1_000;
let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
}, 120_000);
afterAll(() => arena?.stop());

async function ask(client: RawClient, bytes: Buffer): Promise<readonly Message[]> {
  const from = client.messages.length;
  client.send(bytes);
  const done = (all: readonly Message[]) => all.slice(from).some(({ type }) => type === 'Z');
  if (!(await client.until(done, 15_000))) throw new Error('no answer');
  return client.messages.slice(from);
}

/** What it tells: rows, tags, and of errors and notices the code and the words. Names of columns are the client's own. */
function told(messages: readonly Message[]): string[] {
  return messages
    .filter(({ type }) => !['S', 'K', 'T'].includes(type))
    .map(({ type, body }) => type + (type === 'E' || type === 'N' ? words(body) : body.toString('latin1')));
}

/** Without DETAIL, which names the ledger entry. */
const words = (body: Buffer) =>
  body
    .toString('utf8')
    .split('\0')
    .filter((field) => /^[CM]/.test(field))
    .join(' ');

async function tryAll(road: Road, texts: readonly string[]): Promise<string[][][]> {
  const answers: string[][][] = [];
  for (const world of ['a', 'b'] as const) {
    const way = arena.way(road, world);
    const client = await way.open('agent');
    const all: string[][] = [];
    for (const text of texts) all.push(told(await ask(client, say.query(text))));
    client.end();
    await way.reset();
    answers.push(all);
  }
  return answers;
}

/** Denied, or held and nobody may grant it. */
const refused = (messages: readonly Message[]) =>
  messages.some(({ type, body }) => type === 'E' && /\0C(42501|KC001)\0/.test(body.toString('latin1')));

/** What tells by its time alone, by chance, or only when tried a million times: every statement of it is refused. */
const noControl: readonly string[] = ['time', 'numbers by chance', 'an index of its own'];

describe('answers do not depend on the value', () => {
  test.each(Object.entries(blocked))('%s', async (name, texts) => {
    const [one, other] = await tryAll('gateway', texts);
    expect(other).toEqual(one);
    // The attack is one: directly, the answers tell the two worlds apart.
    if (noControl.includes(name)) {
      for (const answer of one!) expect(answer.join('\n')).toMatch(/^EC?.*C(42501|KC001)/m);
      return;
    }
    const [mine, theirs] = await tryAll('direct', texts);
    expect(theirs).not.toEqual(mine);
  });
});

describe('a session is answered for a thousand values of a label', () => {
  test.each(Object.entries(counted))(
    '%s',
    async (_name, text) => {
      const client = await arena.way('gateway').open('agent');
      let answered = 0;
      for (let guess = 0; guess <= limit; guess++) {
        const messages = await ask(client, say.query(text(guess)));
        if (refused(messages)) break;
        answered++;
      }
      expect(answered).toBeLessThanOrEqual(limit);
      expect(answered).toBeGreaterThan(0);
      // Once spent, no other form of the question is answered either; the same question again is.
      expect(refused(await ask(client, say.query(`select id from people where ssn = 'another'`)))).toBe(true);
      expect(refused(await ask(client, say.query('select id, name from people order by id')))).toBe(false);
      client.end();
      await arena.way('gateway').reset();
    },
    60_000,
  );

  test(verifies(
    'masked-or-withheld',
    'more values than are left are refused at once, in the text, bound, and by array',
  ), async () => {
    const way = arena.way('gateway');
    const many = Array.from({ length: limit + 1 }, (_, n) => String(n));
    const text = (sql: string) => say.query(sql);
    const bound = (sql: string, values: readonly (string | Buffer)[], formats: readonly (0 | 1)[] = []) =>
      Buffer.concat([say.parse('', sql), say.bind('', '', values, formats), say.execute(''), say.sync()]);
    const asked: readonly (readonly Buffer[])[] = [
      [text(`select id from people where ssn in (${many.map((value) => `'${value}'`).join(', ')})`)],
      [text(`select x from (values ${many.map((value) => `('${value}')`).join(', ')}) g(x) join people on ssn = x`)],
      [text(`select id from people where ssn = any ('{${many.join(',')}}')`)],
      [bound('select id from people where ssn = any ($1)', [`{${many.join(',')}}`])],
      [bound('select x from unnest($1::text[]) x join people on ssn = x', [`{${many.join(',')}}`])],
      [bound('select id from people where ssn = any ($1::text[])', [arrayOf(many)], [1])],
      [
        text('prepare q(text[]) as select id from people where ssn = any ($1)'),
        text(`execute q('{${many.join(',')}}')`),
      ],
      [text('begin'), copyIn(many), text(`select id from people where ssn = 'x'`)],
      [text('begin'), copyIn(many), text('select a.id from people a join people b on a.ssn = b.ssn')],
    ];
    for (const [index, messages] of asked.entries()) {
      const client = await way.open('agent');
      for (const [at, bytes] of messages.entries())
        expect([index, at, refused(await ask(client, bytes))]).toEqual([index, at, at === messages.length - 1]);
      client.end();
    }
  }, 60_000);

  test('the same question again costs nothing, and readers are not counted out', async () => {
    const way = arena.way('gateway');
    const client = await way.open('agent');
    for (let round = 0; round < limit + 20; round++)
      expect(refused(await ask(client, say.query(`select id from people where ssn = 'the same'`)))).toBe(false);
    client.end();
    const reader = await way.open('reader');
    const many = Array.from({ length: limit + 1 }, (_, n) => `'${n}'`);
    expect(refused(await ask(reader, say.query(`select id from people where ssn in (${many.join(', ')})`)))).toBe(
      false,
    );
    reader.end();
  }, 60_000);
});

function copyIn(values: readonly string[]): Buffer {
  const rows = values.map((value, index) => `${1_000 + index}\tx\t${value}\n`).join('');
  return Buffer.concat([say.query('copy people (id, name, ssn) from stdin'), say.copyData(rows), say.copyDone()]);
}

/** text[] in binary form. */
function arrayOf(values: readonly string[]): Buffer {
  const head = Buffer.alloc(20);
  for (const [index, value] of [1, 0, 25, values.length, 1].entries()) head.writeInt32BE(value, index * 4);
  const cells = values.map((value) => {
    const cell = Buffer.alloc(4 + value.length);
    cell.writeInt32BE(value.length);
    cell.write(value, 4);
    return cell;
  });
  return Buffer.concat([head, ...cells]);
}
