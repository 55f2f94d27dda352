// The API over a real listener, fed by real sessions, approvals, ledger, store and identity.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { verifies } from '../../test/requirements.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { readJournal } from '../ledger/read-journal.ts';
import type {
  ApprovalRow,
  LedgerStatus,
  Me,
  Overview,
  Page,
  Replay,
  SessionDetail,
  SessionSummary,
  StatementRow,
} from './contract.ts';
import { apiProblems } from './problem.ts';
import * as schemas from './schemas.ts';
import { hold, run, statement, type World, world } from './world.suite.ts';

type Sessions = Page<SessionSummary>;

test('sessions, statements, overview, ledger and targets as the contract says', async () => {
  const of = await world();
  const session = await of.session();
  await run(session, 'select id, email from customers where id = $1', 2, ['7']);
  const denied = await session.submit(statement('drop table customers', 'sql:drop'));
  expect(denied.granted).toBe(false);
  await of.caughtUp();

  const list = await of.call<Sessions>('omar', '/api/sessions');
  schemas.page(schemas.sessionSummary).parse(list.body);
  expect(list.body.items).toHaveLength(1);
  expect(list.body.items[0]).toMatchObject({
    id: session.id,
    principalName: 'Reporting agent',
    statements: 2,
    denied: 1,
    maskedCells: 2,
  });

  const detail = await of.call<SessionDetail>('omar', `/api/sessions/${session.id}`);
  schemas.sessionDetail.parse(detail.body);
  expect(detail.body).toMatchObject({
    target: 'shop',
    owner: 'dana@shop.example',
    claimed: { user: 'root', application: '<b>psql</b>' },
  });

  const statements = await of.call<Page<StatementRow>>('omar', `/api/sessions/${session.id}/statements`);
  schemas.page(schemas.statementRow).parse(statements.body);
  expect(statements.body.items).toMatchObject([
    {
      sequence: 1,
      ruling: 'permit',
      parameters: ['7'],
      outcome: { status: 'done', masked: [{ label: 'pii.email', cells: 2 }] },
    },
    { sequence: 2, ruling: 'deny', rules: ['no-drop'], advice: 'Ask a dba.', text: 'drop table customers' },
  ]);

  const overview = await of.call<Overview>('omar', '/api/overview');
  schemas.overview.parse(overview.body);
  expect(overview.body).toMatchObject({
    live: 1,
    held: 0,
    statementsLastHour: 2,
    denialsLastHour: 1,
    maskedCellsLastHour: 2,
  });
  const ledger = await of.call<LedgerStatus>('reporting-agent', '/api/ledger');
  schemas.ledgerStatus.parse(ledger.body);
  expect(ledger.body).toMatchObject({ origin: 'example.test/log', vkey: of.place.vkey, state: 'healthy' });
  schemas.page(schemas.targetRow).parse((await of.call('dana', '/api/targets')).body);
  const me = await of.call<Me>('dana', '/api/me');
  expect(me.body).toMatchObject({
    name: 'Dana Ferreira',
    kind: 'human',
    groups: ['dba', 'engineering'],
    mayKill: true,
  });
  expect((await of.call<Me>('omar', '/api/me')).body.mayKill).toBe(false);
});

test('pages follow one another without gap or repetition', async () => {
  const of = await world();
  for (let n = 0; n < 7; n++) await run(await of.session(n % 2 ? 'reporting-agent' : 'migration-agent'), `select ${n}`);
  await of.caughtUp();
  const seen: string[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const { body }: { body: Sessions } = await of.call<Sessions>(
      'omar',
      `/api/sessions?limit=2${next && `&before=${next}`}`,
    );
    seen.push(...body.items.map((item) => item.id));
    next = body.next;
  }
  expect(seen).toHaveLength(7);
  expect(new Set(seen).size).toBe(7);
  const agents = await of.call<Sessions>('omar', '/api/sessions?principal=Migration&state=live');
  expect(agents.body.items).toHaveLength(4);
  expect((await of.call<Sessions>('omar', '/api/sessions?text=select+3')).body.items).toHaveLength(1);
  for (const query of [
    'limit=0',
    'limit=1000',
    'before=bm9uc2Vuc2U',
    'state=dead',
    'unknown=1',
    'state=live&state=ended',
    `text=${'x'.repeat(600)}`,
  ]) {
    const { status, body } = await of.call('omar', `/api/sessions?${query}`);
    expect([query, status, body.code]).toEqual([query, 400, 'request.invalid']);
  }
});

test('an agent sees its own sessions and requests and nothing else', async () => {
  const of = await world();
  const mine = await of.session('reporting-agent');
  const other = await of.session('migration-agent');
  await run(other, 'select secret_plan');
  const { id } = await hold(other, 'delete from orders where id = 7');
  await of.caughtUp();
  const list = await of.call<Sessions>('reporting-agent', '/api/sessions?state=all');
  expect(list.body.items.map((item) => item.id)).toEqual([mine.id]);
  for (const path of ['', '/statements', '/replay']) {
    const { status, body } = await of.call('reporting-agent', `/api/sessions/${other.id}${path}`);
    expect([status, body.code]).toEqual([404, 'session.unknown']);
  }
  expect((await of.call('reporting-agent', `/api/sessions/${mine.id}`)).status).toBe(200);
  expect((await of.call<Page<ApprovalRow>>('reporting-agent', '/api/approvals?state=all')).body.items).toEqual([]);
  expect((await of.call('reporting-agent', `/api/approvals/${id}`)).status).toBe(404);
  expect((await of.call<Page<ApprovalRow>>('migration-agent', '/api/approvals?state=all')).body.items).toHaveLength(1);
  expect(await of.call('reporting-agent', '/api/overview')).toMatchObject({
    status: 403,
    body: { code: 'access.viewers' },
  });
  for (const who of ['reporting-agent', 'omar']) {
    const killed = await of.call(who, `/api/sessions/${other.id}/kill`, { reason: 'x' });
    expect(killed).toMatchObject({ status: 403, body: { code: 'access.admins' } });
  }
  expect(of.gateway.sessions()).toHaveLength(2);
});

test('a person outside viewer and admin groups sees requests of their groups, not sessions', async () => {
  const of = await world({ viewers: ['nobody'], admins: ['nobody'] });
  const session = await of.session('migration-agent');
  await hold(session, 'delete from orders where id = 7');
  await of.caughtUp();
  expect((await of.call<Sessions>('dana', '/api/sessions')).body.items).toEqual([]);
  expect((await of.call<Page<ApprovalRow>>('dana', '/api/approvals?state=pending')).body.items).toHaveLength(1);
  expect((await of.call<Page<ApprovalRow>>('omar', '/api/approvals?state=all')).body.items).toEqual([]);
});

test(
  verifies('approval.not-own', 'a hold is shown at once, voted on over the API by whom it may concern only'),
  async () => {
    const of = await world();
    const session = await of.session('migration-agent');
    const { ruling, id } = await hold(session, 'delete from orders where id = 7');
    const pending = await of.call<Page<ApprovalRow>>('dana', '/api/approvals?state=pending');
    schemas.page(schemas.approvalRow).parse(pending.body);
    const row = pending.body.items[0]!;
    expect(row).toMatchObject({
      id,
      text: 'delete from orders where id = 7',
      group: 'dba',
      state: 'pending',
      mayVote: true,
    });
    const vote = (who: string, body: object) =>
      of.call<ApprovalRow & { code?: string }>(who, `/api/approvals/${id}/votes`, body);
    const grant = { answer: 'grant', digest: row.digest };
    expect(await vote('omar', grant)).toMatchObject({ status: 403, body: { code: 'approval.own-agent' } });
    expect(await vote('migration-agent', grant)).toMatchObject({ status: 403, body: { code: 'approval.not-human' } });
    expect(await vote('reporting-agent', grant)).toMatchObject({ status: 404, body: { code: 'approval.unknown' } });
    expect(await vote('dana', { ...grant, digest: '0'.repeat(64) })).toMatchObject({
      status: 409,
      body: { code: 'approval.digest' },
    });
    expect(await vote('dana', { answer: 'grant' })).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    const shown = await of.call<ApprovalRow>('omar', `/api/approvals/${id}`);
    expect(shown.body).toMatchObject({ mayVote: false });
    expect(shown.body.mayNotBecause).toContain('own this agent');
    const granted = await vote('dana', { ...grant, reason: 'as planned' });
    schemas.approvalRow.parse(granted.body);
    expect(granted.body).toMatchObject({
      state: 'granted',
      mayVote: false,
      votes: [{ voterName: 'Dana Ferreira', reason: 'as planned' }],
    });
    expect((await ruling).granted).toBe(true);
    expect(await vote('dana', grant)).toMatchObject({ status: 409, body: { code: 'approval.resolved' } });
    await of.caughtUp();
    for (const state of ['resolved', 'all']) {
      const { body } = await of.call<Page<ApprovalRow>>('dana', `/api/approvals?state=${state}`);
      expect(body.items.map((item) => [item.id, item.state])).toEqual([[id, 'granted']]);
    }
    // What the inbox would answer and what the ledger gave to the store are the same row.
    const { mayVote: _, mayNotBecause: __, ...fresh } = granted.body;
    const stored = await of.store.approval(id);
    const timeless = (of: object) => ({ ...of, resolved: 0, votes: [] });
    expect(timeless(stored!)).toEqual(timeless(fresh));
    expect(stored!.votes).toMatchObject(fresh.votes.map((vote) => ({ ...vote, at: expect.any(Number) })));
  },
);

test('pages of approvals span inbox and store', async () => {
  const of = await world();
  const session = await of.session('migration-agent');
  for (let n = 0; n < 5; n++) {
    const leaving = new AbortController();
    const { ruling } = await hold(session, `delete from orders where id = ${n}`, leaving.signal);
    leaving.abort();
    await ruling;
  }
  const open = await hold(session, 'delete from orders where id = 99');
  const seen: string[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const { body }: { body: Page<ApprovalRow> } = await of.call<Page<ApprovalRow>>(
      'dana',
      `/api/approvals?limit=2${next && `&before=${next}`}`,
    );
    seen.push(...body.items.map((item) => item.text));
    next = body.next;
  }
  expect(seen).toHaveLength(6);
  expect(new Set(seen).size).toBe(6);
  expect(seen).toContain('delete from orders where id = 99');
  const resolved = await of.call<Page<ApprovalRow>>('dana', '/api/approvals?state=resolved');
  expect(resolved.body.items.map((item) => item.state)).toEqual(Array(5).fill('withdrawn'));
  expect((await of.call<ApprovalRow>('dana', `/api/approvals/${open.id}`)).body.state).toBe('pending');
});

async function accesses(of: World) {
  const keys = openKeyring(of.place.state);
  const found: object[] = [];
  for await (const { entry, payload } of readJournal(of.place.folder, 0, keys)) {
    if (entry.t === 'evidence.access') found.push({ ...entry.x, ...(payload as { admin: object }).admin });
  }
  keys.close();
  return found;
}

test('a replay shows what was seen, and reading it is an entry of its own', async () => {
  const of = await world();
  const session = await of.session();
  await run(session, 'select 1');
  await session.close('the client left');
  await of.caughtUp();
  const { status, body } = await of.call<Replay>('omar', `/api/sessions/${session.id}/replay`);
  expect(status).toBe(200);
  schemas.replay.parse(body);
  expect(body).toMatchObject({ session: session.id, partial: false });
  expect(body.events).toMatchObject([
    { kind: 'statement', text: 'select 1' },
    { kind: 'done', tag: 'SELECT 1' },
  ]);
  expect(await accesses(of)).toEqual([
    { what: 'replay', session: session.id, by: `${of.provider.issuer}|omar`, byName: 'Omar Lind' },
  ]);
  const live = await of.session();
  await of.caughtUp();
  expect((await of.call<Replay>('omar', `/api/sessions/${live.id}/replay`)).body.partial).toBe(true);
});

test('an admin ends a live session, once, with a reason', async () => {
  const of = await world();
  const session = await of.session();
  await of.caughtUp();
  const kill = (body: object, id = session.id) => of.call('dana', `/api/sessions/${id}/kill`, body);
  expect((await kill({ reason: ' ' })).status).toBe(400);
  expect((await kill({})).status).toBe(400);
  expect(await kill({ reason: 'runaway' })).toEqual({ status: 202, body: {} });
  expect(session.ended.aborted).toBe(true);
  await session.close('killed');
  expect(await kill({ reason: 'again' })).toMatchObject({ status: 409, body: { code: 'session.ended' } });
  expect(await kill({ reason: 'x' }, 'nobody')).toMatchObject({ status: 404, body: { code: 'session.unknown' } });
});

test('without a valid token nothing is told, whatever the route', async () => {
  const of = await world();
  const get = (path: string, headers: Record<string, string> = {}) => fetch(of.url + path, { headers });
  for (const path of [
    '/api/me',
    '/api/sessions',
    '/api/sessions/x',
    '/api/approvals',
    '/api/ledger',
    '/api/targets',
    '/api/overview',
    '/api/events',
  ]) {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, 401]);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ code: 'access.sign-in' });
  }
  const token = await of.token('dana');
  const forged = `${token.slice(0, -4)}AAAA`;
  const refused = await get('/api/me', { authorization: `Bearer ${forged}` });
  expect(refused.status).toBe(401);
  const text = await refused.text();
  expect(JSON.parse(text).code).toMatch(/^sign-in\./);
  expect(text).not.toContain(forged.slice(0, 20));
  expect((await get('/api/me', { authorization: 'Basic ZGFuYTp4' })).status).toBe(401);
  expect((await get('/api/me', { cookie: 'countersign=guess' })).status).toBe(401);
  expect((await get('/api/openapi.json')).status).toBe(200);
  expect((await get('/api/nothing', { authorization: `Bearer ${token}` })).status).toBe(404);
});

test('too many bad tokens from one address are turned away unread', async () => {
  const of = await world();
  const statuses = new Set<number>();
  for (let n = 0; n < 70; n++)
    statuses.add((await fetch(`${of.url}/api/me`, { headers: { authorization: `Bearer x${n}` } })).status);
  expect([...statuses]).toEqual([401, 429]);
  expect((await of.call('dana', '/api/me')).status).toBe(200);
});

/** A request under a host name of the sender's choice, which fetch does not allow. */
function under(of: World, host: string, path = '/api/openapi.json'): Promise<number> {
  const { port } = new URL(of.url);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => resolve(response.resume().statusCode!))
    .on('error', reject)
    .end();
  return promise;
}

test('a foreign host name is refused (DNS rebinding)', async () => {
  const of = await world();
  const { port } = new URL(of.url);
  expect(await under(of, `127.0.0.1:${port}`)).toBe(200);
  expect(await under(of, `LOCALHOST:${port}`)).toBe(200);
  expect(await under(of, `localhost:${port}`, '/auth/sign-in')).toBe(302);
  const moved = await fetch(`http://localhost:${port}/sessions?x=1`, { redirect: 'manual' });
  expect(moved.headers.get('location')).toBe(`${of.url}/sessions?x=1`);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1.evil.example:${port}`]) {
    expect([host, await under(of, host)]).toEqual([host, 421]);
    expect([host, await under(of, host, '/')]).toEqual([host, 421]);
  }
});

test('every error is a problem with a code that docs/api.md lists; bugs tell an incident id only', async () => {
  const of = await world();
  const authorization = `Bearer ${await of.token('dana')}`;
  const post = (body: string, type = 'application/json') =>
    fetch(`${of.url}/api/sessions/x/kill`, { method: 'POST', body, headers: { authorization, 'content-type': type } });
  for (const [response, status, code] of [
    [await post('{'), 400, 'request.invalid'],
    [await post('a=b', 'application/x-www-form-urlencoded'), 400, 'request.invalid'],
    [await post(JSON.stringify({ reason: 'x'.repeat(70_000) })), 413, 'request.too-long'],
    [await fetch(`${of.url}/api/%ff`, { headers: { authorization } }), 400, 'request.invalid'],
    [await fetch(`${of.url}/api/sessions/..%2fx`, { headers: { authorization } }), 400, 'request.invalid'],
    [await fetch(`${of.url}/api/sessions`, { method: 'DELETE', headers: { authorization } }), 404, 'request.unknown'],
  ] as const) {
    const body = schemas.problem.parse(await response.json());
    expect([response.status, body.code]).toEqual([status, code]);
    expect(body.message.length).toBeGreaterThan(20);
  }
  await of.store.close();
  expect(await of.call('dana', '/api/sessions')).toMatchObject({ status: 503, body: { code: 'store.unavailable' } });
  expect(of.failures).toEqual([]);
  of.approvals.list = () => {
    throw new Error('password=hunter2');
  };
  const bug = await of.call('dana', '/api/approvals?state=pending');
  expect(bug).toMatchObject({ status: 500, body: { code: 'gateway.internal' } });
  expect(JSON.stringify(bug)).not.toContain('hunter2');
  expect(bug.body.message).toContain(of.failures[0]!.incident);
});

test('docs/api.md lists every route and every code, and no other', async () => {
  const of = await world();
  const page = readFileSync('docs/api.md', 'utf8');
  const document = (await (await fetch(`${of.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, object>>;
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const listed = [...page.matchAll(/^\| `((?:GET|POST) \/api\/[^`]+)` \|/gm)].map((match) => match[1]!);
  expect(listed.sort()).toEqual([...routes, 'GET /api/events', 'GET /api/openapi.json'].sort());
  const codes = [...page.matchAll(/^\| `([a-z-]+\.[a-z-]+)` \| (\d+) \|/gm)].map((match) => [
    match[1]!,
    Number(match[2]),
  ]);
  expect(Object.fromEntries(codes)).toEqual({ ...apiProblems });
  expect(JSON.stringify(document)).toContain('"pattern":"^[0-9a-f]{64}$"');
});

test('what a reconciliation found is recorded as its caller states it, by members of an admin group alone', async () => {
  const of = await world();
  const body = {
    facts: { ok: false, sources: ['log'], from: 1, to: 2, complete: true, sessions: { atTarget: 3, onlyInTarget: 1 } },
    details: '{"sessions":[{"role":"app"}]}',
  };
  const path = '/api/targets/shop/reconciliations';
  for (const who of ['reporting-agent', 'omar'])
    expect(await of.call(who, path, body)).toMatchObject({ status: 403, body: { code: 'access.admins' } });
  expect((await of.call('dana', '/api/targets/nowhere/reconciliations', body)).status).toBe(400);
  const odd = { ...body, facts: { ...body.facts, sessions: { 'app@10.0.0.9': 1 } } };
  expect((await of.call('dana', path, odd)).status).toBe(400);
  const { status, body: answer } = await of.call<{ id: number }>('dana', path, body);
  expect(status).toBe(201);
  expect(answer.id).toBeGreaterThan(0);
});
