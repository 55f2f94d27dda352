// People are told: what each channel sends to a real server of its kind, and when.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, describe, expect, test } from 'vitest';
import { sendMail } from '../holders/mail.ts';
import { selfSigned } from '../../test/peers/self-signed.ts';
import type { Approval } from './approval.ts';
import { emailChannel } from './channel-email.ts';
import { slackChannel, teamsChannel, webhookChannel } from './channel-http.ts';
import { type Notice, noticeWords, plainText } from './notice.ts';
import { type Channel, openNotices } from './notices.ts';

const nasty = 'delete from orders -- <!channel> *bold* [x](http://evil) &lt; \u202e\u200b \u0430 ```';
const approval: Approval = {
  id: 'a1',
  session: 's1',
  sequence: 3,
  requester: 'https://id|bot',
  requesterName: 'Bot <!here> \u202e',
  target: 'shop',
  database: 'shop',
  text: nasty,
  parameters: ['1', null],
  effects: [{ action: 'sql:delete', resource: 'public.orders' }],
  rules: ['guard.delete'],
  advice: 'Wait.',
  group: 'dba',
  quorum: 2,
  grade: 'signed',
  created: 0,
  expires: 900_000,
  digest: 'd'.repeat(64),
  state: 'pending',
  votes: [],
};
const notice: Notice = { kind: 'asked', id: 'a1-x-0', approval, url: 'https://gate.example/approvals/a1', at: 1_000 };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** An HTTP server that keeps what it was told. */
async function hook(status = 200) {
  const heard: { headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      heard.push({ headers: request.headers, body });
      response.writeHead(status, status === 302 ? { location: '/' } : {}).end('x');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ends.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`;
  return { heard, options: { url: async () => url, fetch: globalThis.fetch } };
}

describe('words', () => {
  test('everything that matters, nothing hidden, and what is missing is said', () => {
    const words = noticeWords(notice);
    const text = plainText(words);
    for (const part of [
      'Bot <!here> \\u{202e} asks on shop/shop',
      '2 of dba, each with a signature',
      'sql:delete on public.orders',
      '\\u{200b}',
      '2 parameters are behind the link',
      'characters outside ASCII',
      approval.digest,
      notice.url,
    ])
      expect(text).toContain(part);
    expect(text).not.toMatch(/[\u202e\u200b]/);
    const long = noticeWords({ ...notice, approval: { ...approval, text: 'x'.repeat(5_000) } });
    expect(long.warnings).toContain('3000 more characters of the statement are behind the link.');
    const many = Array.from({ length: 20 }, () => approval.effects[0]!);
    expect(noticeWords({ ...notice, approval: { ...approval, effects: many } }).warnings).toContain(
      '8 more effects are behind the link.',
    );
  });
});

describe('channels', () => {
  test('Slack: nothing that an agent wrote is markup', async () => {
    const { heard, options } = await hook();
    await slackChannel(options)(notice);
    const { blocks, text } = JSON.parse(heard[0]!.body) as { text: string; blocks: Record<string, unknown>[] };
    expect(text).toBe('Bot &lt;!here&gt; \\u{202e} asks on shop/shop');
    // Only the kinds of text that Slack does not read as markup.
    const kinds = [...heard[0]!.body.matchAll(/"type":"(\w+)"/g)].map(([, kind]) => kind);
    expect(new Set(kinds)).toEqual(
      new Set([
        'header',
        'plain_text',
        'rich_text',
        'rich_text_section',
        'text',
        'rich_text_preformatted',
        'context',
        'actions',
        'button',
      ]),
    );
    expect(JSON.stringify(blocks)).toContain('<!channel> *bold*');
    expect(heard[0]!.body).toContain(notice.url);
  });
  test('Teams: runs of text, which are not markdown', async () => {
    const { heard, options } = await hook();
    await teamsChannel(options)(notice);
    const { attachments } = JSON.parse(heard[0]!.body) as { attachments: { content: { body: { type: string }[] } }[] };
    expect(new Set(attachments[0]!.content.body.map(({ type }) => type))).toEqual(new Set(['RichTextBlock']));
    expect(heard[0]!.body).toContain('[x](http://evil)');
  });
  test('a webhook is signed as Standard Webhooks says, and tells no addresses', async () => {
    const { heard, options } = await hook();
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const vote = {
      voter: 'p',
      voterName: 'P',
      email: 'p@corp.example',
      answer: 'grant',
      at: 1,
      grade: 'session',
    } as const;
    await webhookChannel({ ...options, secret: async () => secret })({
      ...notice,
      approval: { ...approval, votes: [vote] },
    });
    const { headers, body } = heard[0]!;
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const mac = createHmac('sha256', Buffer.alloc(24, 7)).update(signed).digest('base64');
    expect(headers).toMatchObject({
      'webhook-id': 'a1-x-0',
      'webhook-timestamp': '1',
      'webhook-signature': `v1,${mac}`,
    });
    expect(JSON.parse(body)).toMatchObject({
      type: 'approval.asked',
      data: { url: notice.url, approval: { id: 'a1', text: nasty } },
    });
    expect(body).not.toContain('corp.example');
    await expect(webhookChannel({ ...options, secret: async () => 'short' })(notice)).rejects.toThrow('whsec_');
  });
  test.for([500, 404, 302])('an answer of %d is a failure', async (status) => {
    const { options } = await hook(status);
    await expect(slackChannel(options)(notice)).rejects.toThrow();
  });
  test('mail: plain text over demanded TLS with a password; a thread for each request', async () => {
    const { cert, key } = await selfSigned('localhost');
    const { cert: other } = await selfSigned('localhost');
    const mails: string[] = [];
    const server = new SMTPServer({
      cert,
      key,
      onAuth: ({ username, password }, _, done) =>
        done(password === 'right' ? null : new Error('no'), { user: username }),
      onData(stream, _, done) {
        let mail = '';
        stream.on('data', (chunk: Buffer) => (mail += chunk.toString()));
        stream.on('end', () => {
          mails.push(mail);
          done();
        });
      },
    });
    server.on('error', () => {});
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ends.push(() => new Promise<void>((done) => server.close(done)));
    const { port } = server.server.address() as AddressInfo;
    const of = (password: string, ca = cert) =>
      emailChannel({
        from: 'gate@corp.example',
        to: ['dba@corp.example'],
        deliver: (mail) =>
          sendMail(
            { host: 'localhost', port, tls: 'starttls', ca, user: 'gate', password: async () => password },
            mail,
          ),
      });
    await of('right')(notice);
    await of('right')({ ...notice, kind: 'resolved', id: 'a1-x-end', approval: { ...approval, state: 'refused' } });
    expect(mails[0]).toMatch(/^Content-Type: text\/plain/m);
    expect(mails[0]).not.toContain('text/html');
    expect(mails[0]).toContain('Message-ID: <a1-x-0@countersign>');
    expect(mails[1]).toContain('References: <a1@countersign>');
    expect(mails[1]).toMatch(/Subject: .*refused/);
    await expect(of('wrong')(notice)).rejects.toThrow();
    await expect(of('right', other)(notice)).rejects.toThrow();
    expect(mails).toHaveLength(2);
  });
});

describe('when', () => {
  /** A clock that is turned by hand. */
  function clock() {
    let now = 0;
    let due: { at: number; call: () => void }[] = [];
    return {
      now: () => now,
      timers: {
        set(call: () => void, ms: number) {
          const one = { at: now + ms, call };
          due.push(one);
          return one;
        },
        clear: (one: unknown) => void (due = due.filter((other) => other !== one)),
      },
      async pass(ms: number) {
        const until = now + ms;
        for (;;) {
          const next = due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
          if (!next) break;
          due = due.filter((one) => one !== next);
          now = next.at;
          next.call();
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
        }
        now = until;
      },
    };
  }
  function open(channels: (Omit<Channel, 'send'> & { fails?: number })[], mostEachMinute?: number) {
    const time = clock();
    const sent: string[] = [];
    const failures: string[] = [];
    const requests = new Map<string, Approval>();
    let changed: (id: string) => void = () => {};
    const notices = openNotices({
      channels: channels.map(({ fails = 0, ...channel }) => ({
        ...channel,
        async send(of) {
          if (fails-- > 0) throw new Error('away');
          sent.push(`${time.now() / 1_000} ${channel.name} ${of.kind} ${of.count ?? of.approval.id} ${of.id}`);
        },
      })),
      inbox: {
        get: (id) => requests.get(id),
        onChange(listener) {
          changed = listener;
          return () => (changed = () => {});
        },
      },
      baseUrl: 'https://gate.example/',
      told: (channel, _, failure) => failure && failures.push(channel),
      mostEachMinute,
      ...time,
    });
    ends.push(() => notices.close());
    const set = (id: string, state: Approval['state'] = 'pending', group = 'dba') => {
      requests.set(id, { ...approval, id, state, group });
      changed(id);
    };
    return { sent, failures, set, pass: time.pass, close: notices.close };
  }
  const plain = (lines: string[]) => lines.map((line) => line.split(' ').slice(0, 4).join(' '));

  test('at once, again while it waits, later for others, and how it ended to whoever was told', async () => {
    const of = open([
      { name: 'mail', groups: ['dba'], afterMs: 0, everyMs: 60_000 },
      { name: 'boss', afterMs: 150_000 },
      { name: 'other', groups: ['sre'], afterMs: 0 },
    ]);
    of.set('a');
    await of.pass(125_000);
    of.set('a');
    of.set('a', 'granted');
    await of.pass(600_000);
    expect(plain(of.sent)).toEqual([
      '0 mail asked a',
      '60 mail reminder a',
      '120 mail reminder a',
      '125 mail resolved a',
    ]);
    of.set('b', 'pending', 'nobody');
    await of.pass(151_000);
    expect(plain(of.sent).slice(4)).toEqual(['875 boss asked b']);
  });
  test('reminders end', async () => {
    const of = open([{ name: 'mail', afterMs: 0, everyMs: 30_000 }]);
    of.set('a');
    await of.pass(3_600_000);
    expect(of.sent).toHaveLength(6);
  });
  test('what was not taken is sent again under the same id, and given up', async () => {
    const of = open([
      { name: 'shaky', afterMs: 0, fails: 2 },
      { name: 'dead', afterMs: 0, fails: 99 },
    ]);
    of.set('a');
    await of.pass(600_000);
    expect(of.sent).toEqual(['6 shaky asked a a-shaky-0']);
    expect(of.failures.filter((name) => name === 'dead')).toHaveLength(4);
  });
  test('what ended meanwhile is not told any more', async () => {
    const of = open([{ name: 'shaky', afterMs: 0, fails: 1 }]);
    of.set('a');
    await of.pass(500);
    of.set('a', 'withdrawn');
    await of.pass(60_000);
    expect(plain(of.sent)).toEqual(['0.5 shaky resolved a']);
  });
  test('a flood is one message', async () => {
    const of = open([{ name: 'mail', afterMs: 0 }], 3);
    for (let n = 0; n < 50; n++) of.set(`r${n}`);
    await of.pass(61_000);
    expect(plain(of.sent)).toEqual(['0 mail asked r0', '0 mail asked r1', '0 mail asked r2', '60 mail more 47']);
  });
  test('nothing after the end', async () => {
    const of = open([{ name: 'mail', afterMs: 1_000 }]);
    of.set('a');
    of.close();
    await of.pass(60_000);
    expect(of.sent).toEqual([]);
  });
});
