// Whole command lines against a real API: sessions and approvals.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sshFolder } from '../../test/peers/ssh-keygen.ts';
import { verifies } from '../../test/requirements.ts';
import type { ApprovalRow, Page, Replay, SessionSummary } from '../api/contract.ts';
import { hold, run as runStatement, statement, type World, world } from '../api/world.suite.ts';
import { register as approvals } from './approvals.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { register as locks } from './locks.ts';
import type { Io } from './output.ts';
import { run } from './run.ts';
import { register as sessions } from './sessions.ts';

const ssh = sshFolder();
afterAll(() => ssh.remove());

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function line(
  args: readonly string[],
  env: Record<string, string>,
  options: { tty?: boolean; answer?: string } = {},
): Promise<Said> {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    isTTY: options.tty,
    columns: 200,
    write: (text: string) => void (written[name] += text),
  });
  const { answer } = options;
  const io: Io = {
    stdout: stream('out'),
    stderr: stream('err'),
    env: { NO_COLOR: '1', ...env },
    now: Date.now,
    ask: async () => answer,
  };
  const code = await run(args, { version: '9.9.9', commands: [sessions, approvals, locks] }, io);
  return { code, ...written };
}

async function as(of: World, who: string): Promise<Record<string, string>> {
  const file = join(of.place.root, `${who}.token`);
  writeFileSync(file, `${await of.token(who)}\n`, { mode: 0o600 });
  return { COUNTERSIGN_URL: of.url, COUNTERSIGN_TOKEN_FILE: file };
}

test('sessions are listed, shown, replayed and ended', async () => {
  const of = await world();
  const dana = await as(of, 'dana');
  const session = await of.session();
  await runStatement(session, 'select \u001b[2J\u202e evil from orders', 2, ['7']);
  await session.submit(statement('drop table orders', 'sql:drop'));
  await of.caughtUp();

  const listed = await line(['sessions', 'list'], dana);
  expect(listed).toMatchObject({ code: 0, err: '' });
  expect(listed.out.split('\t').slice(0, 1)).toEqual([session.id]);
  const terminal = await line(['sessions', 'list', '--ruling', 'deny'], dana, { tty: true });
  expect(terminal.out).toMatch(/^id +opened +principal/);
  expect(terminal.out).toContain('Reporting agent');
  const json = JSON.parse((await line(['sessions', 'list', '--json'], dana)).out) as Page<SessionSummary>;
  expect(json.items[0]!.id).toBe(session.id);
  expect((await line(['sessions', 'list', '--text', 'nothing'], dana, { tty: true })).out).toContain(
    'No session matches.',
  );
  expect((await line(['sessions', 'list', '--state', 'dead'], dana)).code).toBe(1);
  expect((await line(['sessions', 'list', '--limit', 'ten'], dana)).code).toBe(2);

  const shown = await line(['sessions', 'show', session.id], dana, { tty: true });
  expect(shown.out).toContain('reporting-agent of http://127.0.0.1');
  expect(shown.out).toContain('\\u{1b}[2J\\u{202e} evil');
  expect(shown.out).toContain('2 pii.email masked');
  expect(shown.out).toContain('no-drop');

  expect((await line(['sessions', 'kill', session.id], dana)).code).toBe(2);
  expect((await line(['sessions', 'kill', session.id, '--reason', 'x'], await as(of, 'omar'))).code).toBe(1);
  expect(await line(['sessions', 'kill', session.id, '--reason', 'runaway'], dana)).toEqual({
    code: 0,
    out: `ended ${session.id}\n`,
    err: '',
  });
  await session.close('killed');
  await of.caughtUp();

  const played = await line(['sessions', 'replay', session.id, '--speed', '1000'], dana, { tty: true });
  expect(played.code).toBe(0);
  expect(played.out).toContain('\\u{1b}[2J\\u{202e} evil');
  expect(played.out).toContain('$1 = "7"');
  expect(played.out).toContain('SELECT 1');
  // oxlint-disable-next-line no-control-regex
  expect(played.out).not.toMatch(/[\u001b\u202e]/);
  const replay = JSON.parse((await line(['sessions', 'replay', session.id, '--json'], dana)).out) as Replay;
  expect(replay.events[0]).toMatchObject({ kind: 'statement', sequence: 1 });
});

test('a hold is shown in full and answered with the digest that was shown', async () => {
  const of = await world();
  const dana = await as(of, 'dana');
  const session = await of.session('migration-agent');
  const { ruling, id } = await hold(session, 'delete from orders\nwhere id = 7 -- \u0430');
  const listed = await line(['approvals', 'list'], dana);
  expect(listed.out).toContain(id);
  const shown = await line(['approvals', 'show', id], dana);
  const { digest } = of.approvals.get(id)!;
  for (const part of [
    '    delete from orders\n    where id = 7 -- \u0430\n',
    'sql:delete on public.orders',
    digest,
    '1 characters outside ASCII',
    'Migration agent',
  ]) {
    expect(shown.out).toContain(part);
  }
  const own = await line(['approvals', 'approve', id, '--yes'], await as(of, 'omar'));
  expect(own.code).toBe(1);
  expect(own.err).toContain('own this agent');
  expect(await line(['approvals', 'approve', id], dana)).toMatchObject({ code: 2 });
  const hesitant = await line(['approvals', 'approve', id], dana, { answer: 'y' });
  expect(hesitant.code).toBe(1);
  expect(hesitant.err).toContain('Nothing was sent.');
  const stale = await line(['approvals', 'approve', id, '--yes', '--digest', '0'.repeat(64)], dana);
  expect(stale).toMatchObject({ code: 1 });
  expect(of.approvals.get(id)!.state).toBe('pending');
  const granted = await line(['approvals', 'approve', id, '--reason', 'as planned'], dana, { answer: 'grant' });
  expect(granted.code).toBe(0);
  expect(granted.out).toMatch(/granted\n$/);
  expect((await ruling).granted).toBe(true);

  const second = await hold(session, 'delete from carts');
  const refused = await line(['approvals', 'deny', second.id, '--yes', '--json'], dana);
  expect(JSON.parse(refused.out) as ApprovalRow).toMatchObject({ state: 'refused' });
  expect((await second.ruling).granted).toBe(false);
  const late = await line(['approvals', 'deny', second.id, '--yes'], dana);
  expect(late).toMatchObject({ code: 1 });
  expect(late.err).toContain('was refused');
  const history = await line(['approvals', 'list', '--state', 'resolved'], dana, { tty: true });
  expect(history.out).toMatch(/granted[^\n]*\n?/);
  expect(history.out).toContain('refused');
});

test('what is missing or wrong is told with what to do, and the token is never repeated or sent in the clear', async () => {
  const of = await world();
  const env = await as(of, 'dana');
  const fails = async (args: readonly string[], change: Record<string, string>, code: number, words: string) => {
    const said = await line(args, change);
    expect([args, said.code]).toEqual([args, code]);
    expect(said.err).toContain(words);
    expect(said.out).toBe('');
    return said;
  };
  const list = ['sessions', 'list'];
  await fails(list, {}, 2, 'COUNTERSIGN_URL');
  await fails(list, { COUNTERSIGN_URL: of.url }, 2, '--token-file');
  await fails(list, { COUNTERSIGN_URL: 'http://gate.example', COUNTERSIGN_TOKEN: 'x' }, 2, 'in the clear');
  await fails(list, { COUNTERSIGN_URL: 'gate', COUNTERSIGN_TOKEN: 'x' }, 2, 'not a URL');
  await fails(list, { ...env, COUNTERSIGN_TOKEN_FILE: '/nowhere/token' }, 2, 'cannot be read');
  const odd = await fails(list, { COUNTERSIGN_URL: of.url, COUNTERSIGN_TOKEN: 'hunter2 and more' }, 2, 'token alone');
  expect(odd.err).not.toContain('hunter2');
  const wrong = await fails(list, { COUNTERSIGN_URL: of.url, COUNTERSIGN_TOKEN: 'hunter2' }, 1, 'sign-in.');
  expect(wrong.err).not.toContain('hunter2');
  await fails(list, { ...env, COUNTERSIGN_URL: 'http://127.0.0.1:1' }, 3, 'does not answer');
  await fails(['sessions', 'show', '../me'], env, 2, 'not an id');
  await fails(['sessions', 'show', 'nobody'], env, 1, 'no such session');

  const heard: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.writeHead(302, { location: `${of.url}/api/sessions` }).end('<html>');
  });
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await fails(list, { ...env, COUNTERSIGN_URL: elsewhere }, 3, 'does not answer');
  other.close();
  expect(heard).toHaveLength(1);
});

test(
  verifies('approval.signed', 'a vote that the policy wants signed is signed with ssh-keygen, here or elsewhere'),
  async () => {
    const of = await world({ admins: ['dba', 'auditors'] });
    const [dana, omar] = [await as(of, 'dana'), await as(of, 'omar')];
    const pair = ssh.pair('ed25519');
    const added = await line(['approvals', 'keys', 'add', pair.file, '--name', 'laptop'], dana);
    expect(added).toMatchObject({ code: 0, err: '' });
    const id = /enrolled ([0-9a-f]{24}) SHA256:/.exec(added.out)![1]!;
    expect(added.out).toContain(`keys vouch ${id}`);

    const session = await of.session('migration-agent');
    const { ruling, id: request } = await hold(session, 'truncate orders', undefined, 'sql:truncate');
    expect((await line(['approvals', 'show', request], omar)).out).toContain('each signed with their own key');
    const click = await line(['approvals', 'approve', request, '--yes'], dana);
    expect(click).toMatchObject({ code: 1 });
    expect(click.err).toContain('approval.grade');
    const early = await line(['approvals', 'approve', request, '--yes', '--ssh-key', pair.file], dana);
    expect(early.err).toContain('no administrator has vouched');
    expect((await line(['approvals', 'keys', 'vouch', id, '--yes'], dana)).err).toContain('key.own');
    const wrong = await line(['approvals', 'keys', 'vouch', id], omar, { answer: 'no' });
    expect(wrong).toMatchObject({ code: 1, out: expect.stringContaining('Dana Ferreira') });
    expect((await line(['approvals', 'keys', 'vouch', id], omar, { answer: 'vouch' })).out).toMatch(/counts\n$/);

    const ballot = await line(['approvals', 'ballot', request, '--reason', 'as planned'], dana);
    const file = join(of.place.root, 'ballot.sig');
    writeFileSync(file, pair.sign(ballot.out, 'countersign-approval'));
    const other = await line(['approvals', 'approve', request, '--yes', '--signature', file], dana);
    expect(other.err).toContain('not a signature of this text');
    const said = ['approvals', 'approve', request, '--yes', '--reason', 'as planned', '--signature', file, '--json'];
    const granted = JSON.parse((await line(said, dana)).out) as ApprovalRow;
    expect(granted).toMatchObject({ state: 'granted', grade: 'signed', votes: [{ grade: 'signed', answer: 'grant' }] });
    expect((await ruling).granted).toBe(true);

    const second = await hold(session, 'truncate carts', undefined, 'sql:truncate');
    const signed = await line(['approvals', 'approve', second.id, '--yes', '--ssh-key', pair.file], dana);
    expect(signed).toMatchObject({ code: 0, out: expect.stringMatching(/granted\n$/) });
    await of.caughtUp();
    const shown = await line(['approvals', 'show', second.id], dana);
    expect(shown.out).toContain('signed with their own key');
    const third = await hold(session, 'truncate lists', undefined, 'sql:truncate');
    expect((await line(['approvals', 'deny', third.id, '--yes'], dana)).code).toBe(0);
    const revoked = await line(['approvals', 'keys', 'revoke', id, '--reason', 'lost'], dana);
    expect(revoked.out).toBe('revoked\n');
    expect((await line(['approvals', 'keys', 'list'], omar)).out).toContain(`${id}\trevoked\tDana Ferreira`);
  },
);

test('a gateway that gives something else to sign gets no signature', async () => {
  const of = await world();
  const dana = await as(of, 'dana');
  const session = await of.session('migration-agent');
  const { id } = await hold(session, 'truncate orders', undefined, 'sql:truncate');
  const pair = ssh.pair('ed25519');
  let change = (text: string) => text;
  const liar = createServer((request, response) => {
    const { method, headers } = request;
    void fetch(of.url + request.url, { method, headers: { authorization: headers.authorization! } })
      .then((answer) => answer.text())
      .then((text) => response.setHeader('content-type', 'application/json').end(change(text)));
  });
  await new Promise<void>((done) => liar.listen(0, '127.0.0.1', done));
  const env = { ...dana, COUNTERSIGN_URL: `http://127.0.0.1:${(liar.address() as AddressInfo).port}` };
  const approve = () => line(['approvals', 'approve', id, '--yes', '--ssh-key', pair.file], env);
  const inBallot = (from: string, to: string) => (text: string) =>
    text.startsWith('{"ballot"') ? text.replace(from, to) : text;
  for (const [from, to, what] of [
    ['truncate orders', 'truncate customers', 'the digest'],
    ['\\"answer\\":\\"grant\\"', '\\"answer\\":\\"refuse\\"', 'the vote'],
    ['{\\"answer\\"', '{ \\"answer\\"', 'not canonical JSON'],
  ] as const) {
    change = inBallot(from, to);
    expect((await approve()).err, what).toContain(what);
  }
  // It shows something harmless, and gives the true request to sign.
  change = (text) => (text.startsWith('{"ballot"') ? text : text.replace('truncate orders', 'truncate nothing'));
  expect((await approve()).err).toContain('the statement');
  liar.close();
});

test('a lock ends live sessions, keeps their principal out, and is lifted', async () => {
  const of = await world();
  const dana = await as(of, 'dana');
  const [session, other] = [await of.session('reporting-agent'), await of.session('migration-agent')];
  const wrong = await line(['locks', 'add', '--reason', 'x'], dana);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('Name one of') });
  expect((await line(['locks', 'add', '--group', 'x', '--reason', 'x', '--for', 'ever'], dana)).err).toContain(
    '--for is',
  );
  const omar = await line(['locks', 'add', '--group', 'agents', '--reason', 'x'], await as(of, 'omar'));
  expect(omar).toMatchObject({ code: 1, err: expect.stringContaining('access.admins') });
  const principal = `${of.provider.issuer}|reporting-agent`;
  const added = await line(['locks', 'add', '--principal', principal, '--reason', 'runs wild', '--for', '2h'], dana);
  const id = /^locked ([0-9a-f]{24}): 1 live session ended\n$/.exec(added.out)![1]!;
  expect([session.ended.aborted, other.ended.aborted]).toEqual([true, false]);
  await session.close('locked');
  await expect(of.session('reporting-agent')).rejects.toMatchObject({
    code: 'sign-in.locked',
    message: expect.stringContaining('runs wild'),
  });
  expect((await line(['locks', 'list'], dana)).out).toContain(`principal ${principal}`);
  expect((await line(['locks', 'list'], await as(of, 'reporting-agent'))).err).toContain('access.viewers');
  expect((await line(['locks', 'lift', id, '--reason', 'patched'], dana)).out).toBe(`lifted: principal ${principal}\n`);
  expect((await line(['locks', 'lift', id], dana)).err).toContain('lock.unknown');
  await of.session('reporting-agent');
  await of.caughtUp();
  const seals = [];
  for await (const { entry } of readJournal(of.place.folder, 0)) if (entry.t === 'session.seal') seals.push(entry.x);
  expect(seals).toMatchObject([{ cause: 'locked', cut: expect.any(Number) }]);
});

test('help has examples', async () => {
  for (const args of [
    ['sessions', 'list'],
    ['sessions', 'replay'],
    ['approvals', 'approve'],
  ]) {
    const { out, code } = await line([...args, '--help'], {});
    expect(code).toBe(0);
    expect(out).toContain('Examples:');
    expect(out).toContain('--token-file');
  }
});
