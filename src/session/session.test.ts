// The path over a real ledger, real recordings and a real socket as the target. What the wire says is the protocol's to test.
import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import type { Approval } from '../approvals/approval.ts';
import { type Approvals, openApprovals } from '../approvals/inbox.ts';
import type { Effect } from '../domain/effect.ts';
import type { Draft } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import type { Link } from '../domain/link.ts';
import type { Denial, Holding, Permit } from '../domain/permit.ts';
import type { Principal } from '../domain/principal.ts';
import type { AckLevel } from '../domain/target.ts';
import type { Meaning, Statement, StatementKind } from '../domain/statement.ts';
import { type Disk, disk } from '../ledger/disk.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { LevelFault, type Replica } from '../ledger/replica.ts';
import { SlowFault } from '../ledger/slow-disk.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import { openPolicy } from '../policy/policy.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import { readRecording } from '../recordings/reading.ts';
import { openRecorder } from '../recordings/recorder.ts';
import { dialTarget } from '../targets/dial.ts';
import { openGateway, type OpenGateway, recordOrphans } from './gateway.ts';
import { openPolicyHolder, type PolicyHolder } from './policy-holder.ts';

const base = `@id("all") permit (principal, action, resource) unless { action == Action::"sql:reveal" };
@id("no-grant") @advice("Ask a dba.") forbid (principal, action == Action::"sql:grant", resource);
@id("hold-delete") @hold("dba") @ttl("60s") @advice("Wait.") forbid (principal, action == Action::"sql:delete", resource);
@id("hold-drop") @hold("dba") @quorum("2") @ttl("60s") @advice("Wait.") forbid (principal, action == Action::"sql:drop", resource);
`;

const principal = (of: Partial<Principal>): Principal => ({
  kind: 'human',
  issuer: 'https://id',
  subject: 'x',
  name: 'X',
  groups: [],
  claims: {},
  delegation: [],
  credential: { type: 'jwt', sha256: 'ab' },
  ...of,
});
const agent = principal({ kind: 'agent', subject: 'bot', name: 'Bot', owner: 'Omar@corp.example' });
const dana = principal({ subject: 'dana', name: 'Dana', groups: ['dba'], email: 'dana@corp.example' });
const erin = principal({ subject: 'erin', name: 'Erin', groups: ['dba'], email: 'erin@corp.example' });
const omar = principal({ subject: 'omar', name: 'Omar', groups: ['dba'], email: 'omar@corp.example' });

interface World {
  readonly place: LedgerPlace;
  readonly ledger: Ledger;
  readonly gateway: OpenGateway;
  readonly approvals: Approvals;
  readonly policy: PolicyHolder;
  readonly received: () => string;
  readonly recordings: string;
  readonly principals: Map<string, Principal>;
  /** Moves the clock. */
  pass(ms: number): void;
  readonly advanced: { ms: number };
  /** Runs in the turn of an append, while it is not durable yet. */
  readonly hook: { appended?: (draft: Draft) => void };
  /** Of the target; may be changed. */
  readonly ack: { read: AckLevel; write: AckLevel };
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function world(
  options: {
    policies?: string;
    disk?: Disk;
    replica?: Replica;
    carry?: Parameters<typeof openGateway>[0]['carry'];
    obstacle?: Parameters<typeof openGateway>[0]['obstacle'];
    mayBegin?: Parameters<typeof openGateway>[0]['mayBegin'];
  } = {},
): Promise<World> {
  const place = await ledgerPlace();
  ends.push(() => place.remove());
  const { ledger: real } = await openLedger({
    ...place,
    ...(options.disk ? { disk: options.disk } : {}),
    ...(options.replica ? { replica: options.replica } : {}),
  });
  const hook: World['hook'] = {};
  const ledger: Ledger = {
    ...real,
    append(draft, level, key) {
      const appended = real.append(draft, level, key);
      hook.appended?.(draft);
      return appended;
    },
  };
  ends.push(() => ledger.close().catch(() => {}));
  const recordings = mkdtempSync(join(tmpdir(), 'recordings-'));
  ends.push(() => rmSync(recordings, { recursive: true, force: true }));
  const chunks: Buffer[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => chunks.push(chunk));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  ends.push(() => server.close());
  const port = (server.address() as { port: number }).port;

  const advanced = { ms: 0 };
  const now = () => Date.now() + advanced.ms;
  const timers: { at: number; run: () => void }[] = [];
  const approvals = openApprovals({
    ledger,
    now,
    baseUrl: 'http://console.example/',
    timers: {
      set: (run, ms) => {
        const timer = { at: now() + ms, run };
        timers.push(timer);
        return timer;
      },
      clear: (timer) => timers.splice(0, timers.length, ...timers.filter((one) => one !== timer)),
    },
  });
  const policy = openPolicyHolder(ledger);
  await policy.activate(policyOf(options.policies ?? base));
  const principals = new Map<string, Principal>([['agent', agent]]);
  const ack: World['ack'] = { read: 'written', write: options.replica ? 'replicated' : 'synced' };
  const gateway = openGateway({
    ledger,
    policy,
    approvals,
    now,
    goodbyeMs: 0,
    ...(options.carry ? { carry: options.carry } : {}),
    obstacle: options.obstacle,
    mayBegin: options.mayBegin,
    openRecorder: (session, key) => openRecorder({ folder: recordings, session, key }),
    identity: {
      async verify(token) {
        const found = principals.get(token);
        if (!found) throw new Fault('sign-in.invalid', 'The token does not verify. Get a fresh one.');
        return found;
      },
    },
    targets: new Map([
      [
        'shop',
        {
          target: {
            name: 'shop',
            protocol: 'postgres',
            host: '127.0.0.1',
            port,
            database: 'shop',
            ack,
          },
          credential: { user: 'app', password: async () => 'target-password', tls: 'disable' },
          labels: ['pii.email'],
          dial: () => dialTarget({ host: '127.0.0.1', port }),
        },
      ],
    ]),
  });
  ends.push(() => gateway.stop('the test ends'));
  return {
    place,
    ledger,
    gateway,
    approvals,
    policy,
    recordings,
    principals,
    advanced,
    hook,
    ack,
    received: () => Buffer.concat(chunks).toString('utf8'),
    pass(ms) {
      advanced.ms += ms;
      for (const timer of timers.slice()) if (timer.at <= now()) timer.run();
    },
  };
}

const policyOf = (text: string) =>
  openPolicy(loadPolicies([{ name: 'test.cedar', text }]), { methodFor: () => ({ method: 'full' }) });
const link = { remote: '127.0.0.1:1', secure: true } as Link;
const signIn = (of: World, token: string | undefined = 'agent', wish: { target?: string; database?: string } = {}) =>
  of.gateway.signIn(token, { target: 'shop', claimed: { user: 'somebody', application: 'test' }, ...wish }, link);

const meaning = (action: Effect['action']): Meaning => ({
  effects: [{ action, resource: { schema: 'public', relation: 'orders' } }],
  results: [],
});
const meanings = {
  read: meaning('sql:read'),
  delete: meaning('sql:delete'),
  drop: meaning('sql:drop'),
  grant: meaning('sql:grant'),
};
function statement(of: Meaning, text = 'select 1', kind: StatementKind = 'execute', parameters?: string[]): Statement {
  return { kind, text, parameters, meaning: of, digest: () => hash('sha256', JSON.stringify([text, parameters])) };
}

const permitted = (ruling: Permit | Denial): Permit => {
  if (!ruling.granted) throw new Error(`denied: ${ruling.reason}`);
  return ruling;
};
const refused = (ruling: Permit | Denial): Denial => {
  if (ruling.granted) throw new Error('granted');
  return ruling;
};
const done = {
  status: 'done',
  tag: 'SELECT 1',
  rows: 1,
  bytes: 0,
  masked: [{ label: 'pii.email', method: 'full', cells: 1 }],
} as const;

/** A held statement, once its request is open to votes. */
async function held(
  session: Awaited<ReturnType<typeof signIn>>,
  of = statement(meanings.delete, 'delete from orders where id = 1'),
  signal?: AbortSignal,
) {
  const told = Promise.withResolvers<Holding>();
  const ruling = session.submit(of, { signal, held: (holding) => told.resolve(holding) });
  ruling.catch(() => {});
  return { ruling, holding: await told.promise };
}
const ballot = (of: World, id: string, answer: 'grant' | 'refuse' = 'grant') => ({
  answer,
  digest: (of.approvals.get(id) as Approval).digest,
});

async function entries(of: World) {
  const found = [];
  for await (const { index, entry, payload } of readJournal(of.place.folder, 0, openKeyring(of.place.state)))
    found.push({ index, entry, payload: payload as Record<string, Record<string, unknown>> | undefined });
  return found;
}

async function verified(of: World) {
  await of.gateway.stop('the test ends');
  await of.ledger.close();
  const report = await verifyLedger(of.place.folder, of.place.vkey, { recordings: of.recordings });
  expect(report.failure).toBeUndefined();
  return report;
}

describe('permits', () => {
  test(verifies('permit.before-send', 'a forged, copied or foreign permit sends nothing'), async () => {
    const of = await world();
    const one = await signIn(of);
    const other = await signIn(of);
    const granted = permitted(await one.submit(statement(meanings.read)));
    const foreign = permitted(await other.submit(statement(meanings.read)));
    const target = await one.dial(granted);
    target.open({ data() {}, end() {}, drain() {} });
    const bytes = () => Buffer.from('secret bytes');
    for (const forged of [
      { ...granted },
      JSON.parse(JSON.stringify(granted)),
      Object.create(granted),
      foreign,
      {},
      undefined,
      null,
    ]) {
      expect(() => target.send(bytes(), forged)).toThrow(Fault);
      await expect(one.dial(forged)).rejects.toThrow(Fault);
      await expect(target.secureNow(forged)).rejects.toThrow(Fault);
    }
    target.send(Buffer.from('allowed'), granted);
    await expect.poll(of.received).toBe('allowed');
  });

  test(verifies('permit.before-send', 'a permit stands for an entry that is durable'), async () => {
    const of = await world();
    const session = await signIn(of);
    for (const kind of ['connect', 'prepare', 'execute', 'cancel'] as const) {
      const granted = permitted(
        await session.submit(
          statement(
            kind === 'connect' || kind === 'cancel'
              ? { effects: [{ action: kind, resource: {} }], results: [] }
              : meanings.read,
            'x',
            kind,
          ),
        ),
      );
      const found = (await entries(of))[granted.entry]!;
      expect(found.entry).toMatchObject({
        t: 'statement.decision',
        sid: session.id,
        sq: granted.sequence,
        x: { d: 'permit', k: kind },
      });
    }
  });

  test('statements are recorded in the order of the calls, numbered densely', async () => {
    const of = await world();
    const session = await signIn(of);
    const rulings = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        session.submit(statement(n % 3 === 0 ? meanings.grant : meanings.read, `s${n}`)),
      ),
    );
    const decisions = (await entries(of)).filter(({ entry }) => entry.t === 'statement.decision');
    expect(decisions.map(({ payload }) => payload!['what']!.text)).toEqual(rulings.map((_, n) => `s${n}`));
    expect(decisions.map(({ entry }) => entry.sq)).toEqual(rulings.map((_, n) => n + 1));
    expect(rulings.map((ruling) => ruling.entry)).toEqual(decisions.map(({ index }) => index));
  });
});

describe('records', () => {
  test('a session from opening to seal verifies, and holds what it should', async () => {
    const of = await world();
    const session = await signIn(of);
    permitted(
      await session.submit(
        statement({ effects: [{ action: 'connect', resource: {} }], results: [] }, 'connect', 'connect'),
      ),
    );
    const read = permitted(await session.submit(statement(meanings.read, 'select $1', 'execute', ['7'])));
    session.record('target', Buffer.from('row bytes'));
    session.settle(read, { ...done, bytes: 9 });
    const grant = refused(await session.submit(statement(meanings.grant, 'grant all')));
    expect(grant).toMatchObject({
      cause: 'policy',
      next: 'final',
      advice: 'Ask a dba.',
      reason: 'no-grant forbids sql:grant on public.orders.',
    });
    await session.close('client left');
    const report = await verified(of);
    expect(report).toMatchObject({ sessions: { sealed: 1, open: 0 }, recordings: 1 });
    const found = (await entries(of)).filter(({ entry }) => entry.sid === session.id);
    expect(found.map(({ entry }) => entry.t)).toEqual([
      'session.open',
      'statement.decision',
      'statement.decision',
      'statement.outcome',
      'statement.decision',
      'session.seal',
    ]);
    expect(found[0]!.entry.x).toMatchObject({ target: 'shop', database: 'shop', kind: 'agent' });
    expect(found[0]!.payload!['who']).toMatchObject({
      principal: { id: 'https://id|bot', owner: 'Omar@corp.example' },
      claimed: { user: 'somebody' },
    });
    expect(found[2]!.entry.x).toMatchObject({ d: 'permit', k: 'execute', r: ['all'], e: ['sql:read'], a: 'written' });
    expect(found[2]!.payload).toEqual({
      what: { text: 'select $1', parameters: ['7'], effects: [{ action: 'sql:read', resource: 'public.orders' }] },
    });
    expect(found[3]!.entry).toMatchObject({
      sq: 2,
      x: {
        status: 'done',
        tag: 'SELECT 1',
        rows: 1,
        bytes: 9,
        masked: [{ label: 'pii.email', method: 'full', cells: 1 }],
      },
    });
    expect(found[4]!.payload!['what']).toMatchObject({ reason: expect.any(String), advice: 'Ask a dba.' });
    const frames = [];
    for await (const frame of readRecording(of.recordings, session.id, openKeyring(of.place.state)))
      frames.push([frame.kind, Buffer.from(frame.bytes).toString()]);
    expect(found[0]!.entry.x['recording']).toBe('full');
    const client = frames.filter(([kind]) => kind === 'client').map(([, text]) => text!.length);
    const kept = { client: client.reduce((sum, length) => sum + length), target: 9 };
    expect(found[5]!.entry.x).toMatchObject({ n: 3, cause: 'client left', recording: { rule: 'full', kept } });
    expect(found[5]!.entry.x['recording']).not.toHaveProperty('unkept');
    expect(frames).toEqual([
      ['meta', '{"rule":"full"}\n'],
      ['client', '{"sequence":1,"text":"connect"}\n'],
      ['client', '{"sequence":2,"text":"select $1","parameters":["7"]}\n'],
      ['target', 'row bytes'],
      ['client', '{"sequence":3,"text":"grant all"}\n'],
    ]);
  });

  test('what can change state waits for the disk, and the level is on the record', async () => {
    const of = await world();
    const session = await signIn(of);
    const update = permitted(await session.submit(statement(meaning('sql:update'))));
    expect((await entries(of))[update.entry]!.entry.x['a']).toBe('synced');
  });

  test('a permit whose outcome nobody told is lost, not forgotten; twice is a bug', async () => {
    const of = await world();
    const session = await signIn(of);
    const first = permitted(await session.submit(statement(meanings.read)));
    permitted(await session.submit(statement(meanings.read)));
    session.settle(first, done);
    expect(() => session.settle(first, done)).toThrow('settled twice');
    await session.close('link lost');
    await session.close('again');
    const outcomes = (await entries(of)).filter(({ entry }) => entry.t === 'statement.outcome');
    expect(outcomes.map(({ entry }) => [entry.sq, entry.x['status']])).toEqual([
      [1, 'done'],
      [2, 'lost'],
    ]);
    await verified(of);
  });

  test('neither the token nor a target password is recorded', async () => {
    const of = await world();
    const token = `token-${randomBytes(9).toString('hex')}`;
    of.principals.set(token, agent);
    const session = await signIn(of, token);
    permitted(await session.submit(statement(meanings.read)));
    const text = JSON.stringify(await entries(of));
    expect(text).not.toContain(token);
    expect(text).not.toContain('target-password');
  });

  test('a text that cannot be recorded is not permitted, and the session goes on', async () => {
    const of = await world();
    const session = await signIn(of);
    await expect(session.submit(statement(meanings.read, 'half \ud800'))).rejects.toMatchObject({
      code: 'client.limit',
    });
    await expect(session.submit(statement(meanings.read, 'x'.repeat(17 * 1024 * 1024)))).rejects.toMatchObject({
      code: 'client.limit',
    });
    expect(permitted(await session.submit(statement(meanings.read))).sequence).toBe(1);
    await session.close('done');
    await verified(of);
  });

  test('sessions without an end get one at the next start', async () => {
    const of = await world();
    const session = await signIn(of);
    permitted(await session.submit(statement(meanings.read)));
    await recordOrphans(of.ledger, [{ session: session.id, sequence: 1 }]);
    expect((await entries(of)).at(-1)!.entry).toMatchObject({ t: 'session.orphaned', sid: session.id, x: { n: 1 } });
  });
});

describe('sign-in', () => {
  test(
    verifies(
      'identity.never-defaulted',
      'without a verified principal there is no session, and the refusal is recorded',
    ),
    async () => {
      const of = await world();
      await expect(signIn(of, '')).rejects.toMatchObject({ code: 'sign-in.missing' });
      await expect(of.gateway.signIn(undefined, { target: 'shop', claimed: {} }, link)).rejects.toMatchObject({
        code: 'sign-in.missing',
      });
      await expect(signIn(of, 'forged')).rejects.toMatchObject({ code: 'sign-in.invalid' });
      expect(of.gateway.sessions()).toEqual([]);
      const refusals = (await entries(of)).filter(({ entry }) => entry.t === 'sign-in.refused');
      expect(refusals.map(({ entry }) => entry.x['code'])).toEqual([
        'sign-in.missing',
        'sign-in.missing',
        'sign-in.invalid',
      ]);
      expect(JSON.stringify(refusals)).not.toContain('forged');
    },
  );

  test('unknown targets and databases are refused, with the principal on record', async () => {
    const of = await world();
    await expect(signIn(of, 'agent', { target: 'other' })).rejects.toMatchObject({ code: 'target.unknown' });
    await expect(signIn(of, 'agent', { database: 'postgres' })).rejects.toMatchObject({ code: 'target.unknown' });
    const found = (await entries(of)).filter(({ entry }) => entry.t === 'session.refused');
    expect(found).toHaveLength(2);
    expect(found[0]!.payload!['who']!.principal).toBe('https://id|bot');
  });

  test(verifies('bounded', 'refused sign-ins beyond a rate are counted, not written'), async () => {
    const of = await world();
    await Promise.all(Array.from({ length: 200 }, () => signIn(of, 'forged').catch(() => {})));
    const found = (await entries(of)).filter(({ entry }) => entry.t === 'sign-in.refused');
    expect(found.length).toBeLessThanOrEqual(30);
    of.pass(2_000);
    await signIn(of, 'forged').catch(() => {});
    expect((await entries(of)).at(-1)!.entry.x['notRecorded']).toBeGreaterThan(100);
  });

  test('an expired token opens no session and ends the one it opened', async () => {
    const of = await world();
    const expiresAt = Math.floor(Date.now() / 1000) + 1;
    of.principals.set('short', { ...agent, credential: { type: 'jwt', sha256: '', expiresAt } });
    const session = await signIn(of, 'short');
    const gone = new Promise((resolve) => session.ended.addEventListener('abort', () => resolve(session.ended.reason)));
    expect(await gone).toMatchObject({ code: 'session.killed', message: expect.stringContaining('expired') });
    await expect(session.submit(statement(meanings.read))).rejects.toMatchObject({ code: 'session.killed' });
    await expect(signIn(of, 'short')).rejects.toMatchObject({ code: 'sign-in.expired' });
  });

  test('a token that expires between two statements stops the second, whatever the timer does', async () => {
    const of = await world();
    of.principals.set('short', {
      ...agent,
      credential: { type: 'jwt', sha256: '', expiresAt: Math.floor(Date.now() / 1000) + 1_000 },
    });
    const session = await signIn(of, 'short');
    permitted(await session.submit(statement(meanings.read)));
    of.pass(2_000_000);
    await expect(session.submit(statement(meanings.read))).rejects.toMatchObject({ code: 'session.killed' });
    expect(session.ended.aborted).toBe(true);
  });
});

describe('shadow policies', () => {
  test('what they would do is recorded beside the decision, and the statement runs', async () => {
    const of = await world({
      policies: `${base}@id("later") @shadow @advice("Not from May on.") forbid (principal, action == Action::"sql:read", resource);`,
    });
    const session = await signIn(of);
    permitted(await session.submit(statement(meanings.read)));
    refused(await session.submit(statement(meanings.grant)));
    const decisions = (await entries(of)).filter(({ entry }) => entry.t === 'statement.decision');
    expect(decisions.map(({ entry }) => entry.x['s'])).toEqual([{ d: 'deny', r: ['later'] }, undefined]);
    expect(decisions[0]!.payload!['what']).toMatchObject({ shadow: { advice: 'Not from May on.' } });
    expect(decisions[0]!.entry.x['d']).toBe('permit');
  });
});

describe('holds', () => {
  test(verifies('hold.exactly-once', 'granted: one permit, after its own entry'), async () => {
    const of = await world();
    const session = await signIn(of);
    const { ruling, holding } = await held(session);
    expect(holding).toMatchObject({ group: 'dba', url: `http://console.example/approvals/${holding.id}` });
    expect(of.gateway.sessions()[0]).toMatchObject({ waiting: 1 });
    await of.approvals.vote(holding.id, dana, ballot(of, holding.id));
    const granted = permitted(await ruling);
    session.settle(granted, done);
    await expect(of.approvals.vote(holding.id, erin, ballot(of, holding.id))).rejects.toMatchObject({
      code: 'approval.resolved',
    });
    await session.close('done');
    await verified(of);
    const found = (await entries(of)).filter(({ entry }) => /^(statement|approval)\./.test(entry.t));
    expect(
      found.map(({ entry }) => [entry.t, entry.sq, entry.x['d'] ?? entry.x['state'] ?? entry.x['answer']]),
    ).toEqual([
      ['statement.decision', 1, 'hold'],
      ['approval.request', undefined, undefined],
      ['approval.vote', undefined, 'grant'],
      ['approval.resolution', undefined, 'granted'],
      ['statement.decision', 1, 'permit'],
      ['statement.outcome', 1, undefined],
    ]);
    expect(found[4]!.entry.x['approval']).toBe(holding.id);
    expect(granted.entry).toBe(found[4]!.index);
  });

  test('what comes behind a hold is decided meanwhile', async () => {
    const of = await world();
    const session = await signIn(of);
    const { ruling, holding } = await held(session);
    expect(permitted(await session.submit(statement(meanings.read))).sequence).toBe(2);
    await of.approvals.vote(holding.id, dana, ballot(of, holding.id));
    expect(permitted(await ruling).sequence).toBe(1);
  });

  test('preparing a statement that would be held is permitted and says so; running it is held', async () => {
    const of = await world();
    const session = await signIn(of);
    const granted = permitted(await session.submit(statement(meanings.delete, 'delete', 'prepare')));
    expect((await entries(of))[granted.entry]!.entry.x).toMatchObject({
      d: 'permit',
      deferred: true,
      r: ['hold-delete'],
    });
    expect(session.preview(meanings.delete)).toBe('hold');
    expect(session.preview(meanings.grant)).toBe('deny');
  });

  test(
    verifies('hold.exactly-once', 'refused: never runs; asking again within ten minutes is refused at once'),
    async () => {
      const of = await world();
      const session = await signIn(of);
      const { ruling, holding } = await held(session);
      await of.approvals.vote(holding.id, dana, { ...ballot(of, holding.id, 'refuse'), reason: 'wrong quarter' });
      expect(refused(await ruling)).toMatchObject({
        cause: 'refused',
        next: 'final',
        reason: 'Dana refused it: wrong quarter',
      });
      const again = refused(await session.submit(statement(meanings.delete, 'delete from orders where id = 1')));
      expect(again).toMatchObject({ cause: 'refused', next: 'final' });
      expect(of.approvals.list().filter((one) => one.state === 'pending')).toEqual([]);
      of.pass(601_000);
      const later = await held(session);
      await of.approvals.vote(later.holding.id, dana, ballot(of, later.holding.id));
      permitted(await later.ruling);
      await session.close('done');
      await verified(of);
    },
  );

  test(verifies('hold.exactly-once', 'expired: never runs, and a late vote has no effect'), async () => {
    const of = await world();
    const session = await signIn(of);
    const { ruling, holding } = await held(session);
    of.advanced.ms += 60_001;
    await expect(of.approvals.vote(holding.id, dana, ballot(of, holding.id))).rejects.toMatchObject({
      code: 'approval.resolved',
    });
    of.pass(0);
    expect(refused(await ruling)).toMatchObject({ cause: 'expired', next: 'ask' });
    expect((await entries(of)).some(({ entry }) => entry.t === 'approval.vote')).toBe(false);
  });

  test(verifies('hold.exactly-once', 'withdrawn by its client: never runs, whenever the vote came'), async () => {
    const of = await world();
    const session = await signIn(of);
    for (const when of ['before', 'during', 'resolving'] as const) {
      const leave = new AbortController();
      const { ruling, holding } = await held(session, statement(meanings.delete, `delete ${when}`), leave.signal);
      const cast = ballot(of, holding.id);
      if (when === 'before') leave.abort();
      const vote = of.approvals.vote(holding.id, dana, cast).catch((error: unknown) => error);
      if (when === 'during') leave.abort();
      if (when === 'resolving') of.approvals.onChange(() => leave.abort());
      expect(refused(await ruling)).toMatchObject({ cause: 'withdrawn', next: 'ask' });
      await vote;
    }
    await session.close('done');
    await verified(of);
  });

  test(
    verifies(
      'hold.exactly-once',
      'a client that leaves while the grant is written gets no permit, and the record says so',
    ),
    async () => {
      const of = await world();
      const session = await signIn(of);
      const run = async (when: (draft: Draft) => boolean) => {
        const leave = new AbortController();
        const { ruling, holding } = await held(
          session,
          statement(meanings.delete, `delete ${Math.random()}`),
          leave.signal,
        );
        const before = (await entries(of)).length;
        of.hook.appended = (draft) => {
          if (when(draft)) leave.abort();
        };
        const vote = of.approvals.vote(holding.id, dana, ballot(of, holding.id));
        expect(refused(await ruling)).toMatchObject({ cause: 'withdrawn' });
        await vote;
        of.hook.appended = undefined;
        await session.submit(statement(meanings.read)).then((granted) => session.settle(permitted(granted), done));
        // Up to the statement after it; whether that one's outcome is written yet does not matter.
        const all = await entries(of);
        const next = all.findLastIndex(({ entry }) => entry.t === 'statement.decision');
        return all
          .slice(before, next)
          .map(({ entry }) => `${entry.t} ${entry.x['state'] ?? entry.x['d'] ?? entry.x['status'] ?? ''}`.trim());
      };
      // Granted, but not judged again: the ruling is that it was withdrawn, and there is one resolution.
      expect(await run((draft) => draft.type === 'approval.resolution')).toEqual([
        'approval.vote',
        'approval.resolution granted',
        'statement.decision deny',
      ]);
      // Judged again and being written: permitted on record, and skipped on record.
      expect(
        await run((draft) => draft.type === 'statement.decision' && draft.facts['approval'] !== undefined),
      ).toEqual([
        'approval.vote',
        'approval.resolution granted',
        'statement.decision permit',
        'statement.outcome skipped',
      ]);
      await session.close('done');
      await verified(of);
    },
  );

  test('a vote that loses the race against the client who leaves is told so', async () => {
    const of = await world();
    const session = await signIn(of);
    const leave = new AbortController();
    const { ruling, holding } = await held(session, undefined, leave.signal);
    of.approvals.onChange(() => leave.abort());
    await expect(of.approvals.vote(holding.id, dana, ballot(of, holding.id))).rejects.toMatchObject({
      code: 'approval.resolved',
    });
    expect(refused(await ruling).cause).toBe('withdrawn');
  });

  test('closing waits for the rulings of its holds, however slow the disk is', async () => {
    const slow: Disk = new Proxy(disk, {
      get(of, name, receiver) {
        const method = Reflect.get(of, name, receiver);
        if (typeof method !== 'function' || !/sync$/i.test(String(name))) return method;
        return async (...args: unknown[]) => {
          await new Promise((later) => setTimeout(later, 60));
          return method.apply(of, args);
        };
      },
    });
    const of = await world({ disk: slow });
    const session = await signIn(of);
    const { ruling } = await held(session);
    await session.close('client left');
    expect(refused(await ruling)).toMatchObject({ cause: 'withdrawn' });
    expect((await entries(of)).filter(({ entry }) => entry.sid === session.id).at(-1)!.entry.t).toBe('session.seal');
    await verified(of);
  });

  test('closing a session withdraws its holds before the seal', async () => {
    const of = await world();
    const session = await signIn(of);
    const { ruling, holding } = await held(session);
    await session.close('client left');
    expect(refused(await ruling)).toMatchObject({ cause: 'withdrawn' });
    expect(of.approvals.get(holding.id)).toMatchObject({ state: 'withdrawn' });
    expect((await entries(of)).at(-1)!.entry.t).toBe('session.seal');
    await verified(of);
  });

  test('a policy that denies by now denies what was granted; stricter terms too', async () => {
    const of = await world();
    const session = await signIn(of);
    const first = await held(session);
    await of.policy.activate(
      policyOf(`${base}@id("freeze") @advice("Frozen.") forbid (principal, action == Action::"sql:delete", resource);`),
    );
    await of.approvals.vote(first.holding.id, dana, ballot(of, first.holding.id));
    expect(refused(await first.ruling)).toMatchObject({ cause: 'policy', advice: 'Frozen.' });
    await of.policy.activate(policyOf(base));
    const second = await held(session, statement(meanings.delete, 'delete 2'));
    await of.policy.activate(policyOf(base.replace('@id("hold-delete")', '@id("hold-delete") @quorum("2")')));
    await of.approvals.vote(second.holding.id, dana, ballot(of, second.holding.id));
    expect(refused(await second.ruling)).toMatchObject({ cause: 'policy', next: 'ask' });
    await of.policy.activate(policyOf(base));
    const third = await held(session, statement(meanings.delete, 'delete 3'));
    await of.policy.activate(policyOf(base.replace('@id("hold-delete")', '@id("hold-delete") @signed')));
    await of.approvals.vote(third.holding.id, dana, ballot(of, third.holding.id));
    expect(refused(await third.ruling)).toMatchObject({ cause: 'policy', next: 'ask' });
  });

  test('a quorum counts distinct people', async () => {
    const of = await world();
    const session = await signIn(of);
    const { ruling, holding } = await held(session, statement(meanings.drop, 'drop'));
    await of.approvals.vote(holding.id, dana, ballot(of, holding.id));
    await expect(of.approvals.vote(holding.id, dana, ballot(of, holding.id))).rejects.toMatchObject({
      code: 'approval.voted',
    });
    const alias = principal({ issuer: 'https://other', subject: 'd', groups: ['dba'], email: 'DANA@corp.example' });
    await expect(of.approvals.vote(holding.id, alias, ballot(of, holding.id))).rejects.toMatchObject({
      code: 'approval.voted',
    });
    expect(of.approvals.get(holding.id)!.state).toBe('pending');
    await of.approvals.vote(holding.id, erin, ballot(of, holding.id));
    expect(permitted(await ruling).sequence).toBe(1);
  });

  test(verifies('approval.not-own', 'the requester, its owner, agents and strangers cannot approve'), async () => {
    const of = await world();
    const session = await signIn(of);
    const { ruling, holding } = await held(session);
    const cast = ballot(of, holding.id);
    const cases: [Principal, string][] = [
      [{ ...agent, groups: ['dba'] }, 'approval.not-human'],
      [principal({ kind: 'service', subject: 's', groups: ['dba'], email: 's@x' }), 'approval.not-human'],
      [omar, 'approval.own-agent'],
      [{ ...omar, email: 'OMAR@CORP.example ', subject: 'o2' }, 'approval.own-agent'],
      [principal({ subject: 'bot', groups: ['dba'], email: 'b@x' }), 'approval.own-request'],
      [principal({ subject: 'eve', email: 'eve@x' }), 'approval.not-member'],
      [principal({ subject: 'noemail', groups: ['dba'] }), 'approval.unknown-owner'],
    ];
    for (const [voter, code] of cases) {
      expect(of.approvals.mayVote(holding.id, voter).may).toBe(false);
      await expect(of.approvals.vote(holding.id, voter, cast)).rejects.toMatchObject({ code });
    }
    await expect(of.approvals.vote(holding.id, dana, { ...cast, digest: '0'.repeat(64) })).rejects.toMatchObject({
      code: 'approval.digest',
    });
    await expect(of.approvals.vote('nothing', dana, cast)).rejects.toMatchObject({ code: 'approval.unknown' });
    expect((await entries(of)).filter(({ entry }) => entry.t === 'approval.vote')).toEqual([]);
    expect(of.approvals.mayVote(holding.id, dana)).toEqual({ may: true });
    await of.approvals.vote(holding.id, dana, cast);
    permitted(await ruling);
  });

  test('an agent whose token names no owner is told at once that nobody could approve', async () => {
    const of = await world();
    of.principals.set('ownerless', { ...agent, owner: undefined });
    const session = await signIn(of, 'ownerless');
    expect(refused(await session.submit(statement(meanings.delete)))).toMatchObject({
      cause: 'refused',
      reason: expect.stringContaining('no owner'),
    });
  });

  test(verifies('bounded', 'one principal holds at most twenty statements'), async () => {
    const of = await world();
    const session = await signIn(of);
    const leave = new AbortController();
    const rulings = Array.from({ length: 21 }, (_, n) =>
      session.submit(statement(meanings.delete, `d${n}`), { signal: leave.signal }),
    );
    expect(refused(await rulings[20]!)).toMatchObject({
      cause: 'refused',
      reason: expect.stringContaining('Too many'),
    });
    leave.abort();
    for (const ruling of rulings) refused(await ruling);
  });
});

describe('ends', () => {
  test('kill: recorded, held and running statements get nothing more', async () => {
    const of = await world();
    const session = await signIn(of);
    const granted = permitted(await session.submit(statement(meanings.read)));
    const target = await session.dial(granted);
    target.open({ data() {}, end() {}, drain() {} });
    const { ruling } = await held(session);
    expect(await of.gateway.kill('nobody', dana, 'x')).toBe(false);
    const killed = of.gateway.kill(session.id, dana, 'left the company');
    expect(session.ended.reason).toMatchObject({
      code: 'session.killed',
      message: expect.stringContaining('left the company'),
    });
    target.send(Buffer.from('too late'), granted);
    expect(await killed).toBe(true);
    expect(refused(await ruling)).toMatchObject({ cause: 'withdrawn' });
    await expect(session.submit(statement(meanings.read))).rejects.toMatchObject({ code: 'session.killed' });
    await expect(session.dial(granted)).rejects.toMatchObject({ code: 'session.killed' });
    await session.close('killed');
    expect(of.received()).toBe('');
    expect(of.gateway.sessions()).toEqual([]);
    const found = (await entries(of)).find(({ entry }) => entry.t === 'session.kill')!;
    expect(found).toMatchObject({
      entry: { x: { session: session.id } },
      payload: { admin: { by: 'https://id|dana', reason: 'left the company' } },
    });
    await verified(of);
  });

  test('a session killed while its decision is written gets no permit, and the record says that nothing was sent', async () => {
    const of = await world();
    const session = await signIn(of);
    const ruling = session.submit(statement(meanings.read));
    void of.gateway.kill(session.id, dana, 'now');
    await expect(ruling).rejects.toMatchObject({ code: 'session.killed' });
    await session.close('killed');
    expect((await entries(of)).find(({ entry }) => entry.t === 'statement.outcome')!.entry).toMatchObject({
      sq: 1,
      x: { status: 'skipped' },
    });
    await verified(of);
  });

  test('stop ends every session and lets nobody in', async () => {
    const of = await world();
    const session = await signIn(of);
    const stopped = of.gateway.stop('an upgrade');
    expect(session.ended.reason).toMatchObject({ code: 'gateway.stopping' });
    await expect(signIn(of)).rejects.toMatchObject({ code: 'gateway.stopping' });
    await session.close('gateway stopping');
    await stopped;
    await verified(of);
  });

  test('cancel keys reach one session', async () => {
    const of = await world();
    let cancelled = 0;
    const remove = of.gateway.cancels.add('k', () => cancelled++);
    expect(() => of.gateway.cancels.add('k', () => {})).toThrow(Fault);
    of.gateway.cancels.find('k')!();
    remove();
    expect([cancelled, of.gateway.cancels.find('k'), of.gateway.cancels.find('other')]).toEqual([
      1,
      undefined,
      undefined,
    ]);
  });
});

/** A disk that fails every write and sync from `breakNow()` on. */
function failingDisk(): { failing: Disk; breakNow(): void } {
  let broken = false;
  const failing: Disk = new Proxy(disk, {
    get(of, name, receiver) {
      const method = Reflect.get(of, name, receiver);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        if (broken && /write|sync/i.test(String(name)))
          throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        return method.apply(of, args);
      };
    },
  });
  return {
    failing,
    breakNow() {
      broken = true;
    },
  };
}

describe('faults', () => {
  test(verifies('ledger.down-stops', 'when the disk fails nothing is permitted, and held statements end'), async () => {
    const { failing, breakNow } = failingDisk();
    const of = await world({ disk: failing });
    const session = await signIn(of);
    const granted = permitted(await session.submit(statement(meanings.read)));
    const { ruling } = await held(session);
    breakNow();
    await expect(session.submit(statement(meanings.read))).rejects.toMatchObject({ code: 'ledger.unavailable' });
    await expect(session.submit(statement(meanings.grant))).rejects.toMatchObject({ code: 'ledger.unavailable' });
    expect(session.ended.reason).toMatchObject({ code: 'ledger.unavailable' });
    await expect(ruling).rejects.toMatchObject({ code: 'ledger.unavailable' });
    await expect(session.dial(granted)).rejects.toMatchObject({ code: 'ledger.unavailable' });
    await expect(signIn(of)).rejects.toMatchObject({ code: 'ledger.unavailable' });
    await session.close('ledger down');
    expect(of.gateway.sessions()).toEqual([]);
  });

  test('an outcome that the disk refuses ends the session', async () => {
    const { failing, breakNow } = failingDisk();
    const of = await world({ disk: failing });
    const session = await signIn(of);
    const granted = permitted(await session.submit(statement(meanings.read)));
    breakNow();
    session.settle(granted, done);
    await expect.poll(() => session.ended.aborted).toBe(true);
    expect(session.ended.reason).toMatchObject({ code: 'ledger.unavailable' });
  });

  test('an outcome that cannot be recorded ends the session', async () => {
    const of = await world();
    const session = await signIn(of);
    const granted = permitted(await session.submit(statement(meanings.read)));
    await of.ledger.close();
    session.settle(granted, done);
    expect(session.ended.aborted).toBe(true);
  });

  test('a recording that cannot be written ends the session', async () => {
    const of = await world();
    rmSync(of.recordings, { recursive: true, force: true });
    const { writeFileSync } = await import('node:fs');
    writeFileSync(of.recordings, 'not a folder');
    const session = await signIn(of);
    session.record('target', Buffer.alloc(600_000));
    await expect
      .poll(() => {
        session.record('target', Buffer.alloc(300_000));
        return session.ended.aborted;
      })
      .toBe(true);
    await expect(session.submit(statement(meanings.read))).rejects.toMatchObject({ code: 'ledger.unavailable' });
  });
});

test('a swap of policies holds for the next statement of a live session, and is recorded first', async () => {
  const of = await world();
  const session = await signIn(of);
  permitted(await session.submit(statement(meanings.read)));
  await of.policy.activate(
    policyOf(`${base}@id("closed") forbid (principal, action == Action::"sql:read", resource);`),
  );
  const denial = refused(await session.submit(statement(meanings.read)));
  expect(denial.reason).toContain('closed');
  const found = await entries(of);
  const swap = found.findLast(({ entry }) => entry.t === 'policy.version')!;
  expect(swap.index).toBeLessThan(denial.entry);
  expect(found[denial.entry]!.entry.x['p']).toBe(String(swap.entry.x['version']).slice(7, 23));
  expect(JSON.stringify(swap.payload!['admin']!.files)).toContain('closed');
  await of.policy.activate(of.policy.current);
  expect((await entries(of)).length).toBe(found.length);
});

describe('carried labels', () => {
  const copies: Meaning = {
    ...meaning('sql:insert'),
    carries: [{ schema: 'public', relation: 'copy', column: 'mail', labels: ['pii.email'] }],
  };

  test(
    verifies('masked-or-withheld', 'labels are kept before the copy is permitted, and name their decision'),
    async () => {
      const kept = Promise.withResolvers<void>();
      const calls: unknown[] = [];
      const of = await world({
        carry: (...call) => {
          calls.push(call);
          return kept.promise;
        },
      });
      const session = await signIn(of);
      let minted = false;
      const ruling = session.submit(statement(copies)).then((found) => {
        minted = true;
        return permitted(found);
      });
      await expect.poll(() => calls.length).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(minted).toBe(false);
      kept.resolve();
      const { entry } = await ruling;
      expect(calls).toEqual([[{ target: 'shop', database: 'shop' }, copies.carries, { session: session.id, entry }]]);
      // Preparing copies nothing.
      permitted(await session.submit(statement(copies, 'select 1', 'prepare')));
      expect(calls).toHaveLength(1);
      await session.close('done');
    },
  );

  test(
    verifies('masked-or-withheld', 'a copy whose labels cannot be kept is not sent, and the record says so'),
    async () => {
      for (const carry of [
        undefined,
        async () => {
          throw new Fault('ledger.unavailable', 'No place.');
        },
      ]) {
        const of = await world(carry ? { carry } : {});
        const session = await signIn(of);
        await expect(session.submit(statement(copies))).rejects.toThrow(Fault);
        await session.close('done');
        await verified(of);
        const outcomes = (await entries(of)).filter(({ entry }) => entry.t === 'statement.outcome');
        expect(outcomes.map(({ entry }) => entry.x['status'])).toEqual(['skipped']);
        expect(of.received()).toBe('');
      }
    },
  );

  test('a held copy keeps its labels once it was granted', async () => {
    const calls: unknown[] = [];
    const of = await world({ carry: async (...call) => void calls.push(call) });
    const session = await signIn(of);
    const { ruling, holding } = await held(session, statement({ ...meanings.delete, carries: copies.carries }));
    expect(calls).toEqual([]);
    await of.approvals.vote(holding.id, dana, ballot(of, holding.id));
    permitted(await ruling);
    expect(calls).toHaveLength(1);
    await session.close('done');
  });
});

describe('a disk that is slow or almost full', () => {
  test(
    verifies(
      'ledger.down-stops',
      'while the disk is slow nothing new is let through, on the record; sessions stay, and go on',
    ),
    async () => {
      let slow: SlowFault | undefined;
      const of = await world({ obstacle: () => slow });
      const session = await signIn(of);
      session.settle(permitted(await session.submit(statement(meanings.read))), done);
      slow = new SlowFault(6.1);
      for (const what of [meanings.read, meanings.delete, meaning('sql:insert')]) {
        const denial = refused(await session.submit(statement(what)));
        expect(denial).toMatchObject({ cause: 'unavailable', next: 'retry' });
        expect(denial.reason).toContain('slow');
      }
      // What the policy forbids is forbidden as ever.
      expect(refused(await session.submit(statement(meanings.grant)))).toMatchObject({ cause: 'policy' });
      expect(of.approvals.list()).toEqual([]);
      expect(session.ended.aborted).toBe(false);
      slow = undefined;
      session.settle(permitted(await session.submit(statement(meanings.read))), done);
      await session.close('the client left');
      await of.ledger.close();
      const decisions = [];
      for await (const { entry } of readJournal(of.place.folder, 0))
        if (entry.t === 'statement.decision' && entry.x.cause === 'unavailable') decisions.push([entry.x.d, entry.x.a]);
      // Told to the kernel only: a refusal that waited on the disk would not come.
      expect(decisions).toEqual(Array.from({ length: 3 }, () => ['deny', 'written']));
      expect((await verifyLedger(of.place.folder, of.place.vkey)).failure).toBeUndefined();
    },
  );

  test('no session begins while there is no room; those that are open go on', async () => {
    let full: Fault | undefined;
    const of = await world({ mayBegin: () => full });
    const session = await signIn(of);
    full = new Fault('ledger.unavailable', 'The disk of the gateway is almost full.');
    await expect(signIn(of)).rejects.toThrow('almost full');
    session.settle(permitted(await session.submit(statement(meanings.read))), done);
    full = undefined;
    await signIn(of);
    await of.ledger.close();
  });
});

describe('the level that was reached', () => {
  test(
    verifies(
      'recorded.before-executed',
      'an outcome says where the record of its decision was when the permit was minted',
    ),
    async () => {
      const of = await world();
      const session = await signIn(of);
      session.settle(permitted(await session.submit(statement(meanings.read))), done);
      session.settle(permitted(await session.submit(statement(meaning('sql:insert')))), done);
      await session.close('the client left');
      await of.ledger.close();
      const asked = new Map<number, unknown>();
      const reached: [unknown, unknown][] = [];
      for await (const { entry } of readJournal(of.place.folder, 0)) {
        if (entry.t === 'statement.decision') asked.set(entry.sq!, entry.x.a);
        if (entry.t === 'statement.outcome') reached.push([asked.get(entry.sq!), entry.x.l]);
      }
      expect(reached).toEqual([
        ['written', 'written'],
        ['synced', 'synced'],
      ]);
      expect((await verifyLedger(of.place.folder, of.place.vkey)).failure).toBeUndefined();
    },
  );
});

describe('a level that cannot be reached', () => {
  /** A second place that the test switches; `late` lets a wait begin and then fail. */
  function place() {
    const copied: number[] = [];
    const state: { down: boolean; late: boolean; hold?: Promise<void> } = { down: false, late: false };
    const replica: Replica = {
      fault: () => (state.down ? new LevelFault() : undefined),
      async copied(upTo) {
        await state.hold;
        if (state.late) throw new LevelFault();
        copied.push(upTo);
      },
    };
    return { replica, state, copied };
  }
  const write = statement(meaning('sql:insert'), 'insert into orders values (1)');
  const unavailable = { granted: false, cause: 'unavailable', next: 'retry' };

  async function entriesOf(of: World, type: string) {
    const found: { index: number; facts: Draft['facts'] }[] = [];
    for await (const { index, entry } of readJournal(of.place.folder, 0))
      if (entry.t === type) found.push({ index, facts: entry.x });
    return found;
  }

  test('a permit is minted only after its entry was copied', async () => {
    const { replica, state, copied } = place();
    const of = await world({ replica });
    const session = await signIn(of);
    const go = Promise.withResolvers<void>();
    state.hold = go.promise;
    let minted = false;
    const asked = session.submit(write).then((ruling) => {
      minted = true;
      return permitted(ruling);
    });
    // Many turns and many syncs pass; only the copy counts.
    for (let i = 0; i < 5; i++) await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
    expect(minted).toBe(false);
    go.resolve();
    const permit = await asked;
    expect(Math.max(...copied)).toBeGreaterThan(permit.entry);
    expect((await entriesOf(of, 'statement.decision')).at(-1)?.facts).toMatchObject({ a: 'replicated', d: 'permit' });
  });

  test('while it cannot be reached only what demands it is refused, on the record, and the session goes on', async () => {
    const { replica, state } = place();
    const of = await world({ replica });
    const session = await signIn(of);
    state.down = true;
    const denial = refused(await session.submit(write));
    expect(denial).toMatchObject(unavailable);
    expect(session.ended.aborted).toBe(false);
    session.settle(permitted(await session.submit(statement(meanings.read))), done);
    // A denial acts on nothing and waits for no other machine.
    expect(refused(await session.submit(statement(meanings.grant, 'grant'))).cause).toBe('policy');
    state.down = false;
    session.settle(permitted(await session.submit(write)), done);
    const facts = (await entriesOf(of, 'statement.decision')).map(({ facts: { a, cause, d } }) => [d, a, cause]);
    expect(facts).toEqual([
      ['deny', 'synced', 'unavailable'],
      ['permit', 'written', undefined],
      ['deny', 'synced', undefined],
      ['permit', 'replicated', undefined],
    ]);
    await of.gateway.stop('done');
    await of.ledger.close();
    expect(await verifyLedger(of.place.folder, of.place.vkey)).toMatchObject({ ok: true });
  });

  test('a wait that fails sends nothing and says so', async () => {
    const { replica, state } = place();
    const of = await world({ replica });
    const session = await signIn(of);
    state.late = true;
    const denial = refused(await session.submit(write));
    expect(denial).toMatchObject(unavailable);
    expect(session.ended.aborted).toBe(false);
    await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
    expect((await entriesOf(of, 'statement.outcome')).map(({ facts }) => facts.status)).toEqual(['skipped']);
  });

  test('a grant that cannot be recorded is refused; the hold itself waits for no other machine', async () => {
    const { replica, state } = place();
    const of = await world({ replica });
    const session = await signIn(of);
    const { holding, ruling } = await held(session);
    state.down = true;
    await of.approvals.vote(holding.id, dana, ballot(of, holding.id));
    expect(refused(await ruling)).toMatchObject(unavailable);
    state.down = false;
    const facts = (await entriesOf(of, 'statement.decision')).map(({ facts: { a, cause, d } }) => [d, a, cause]);
    expect(facts).toEqual([
      ['hold', 'synced', undefined],
      ['deny', 'synced', 'unavailable'],
    ]);
  });

  test('a session whose opening demands it is not opened', async () => {
    const { replica, state } = place();
    const of = await world({ replica });
    of.ack.read = 'replicated';
    state.down = true;
    await expect(signIn(of)).rejects.toMatchObject({ code: 'ledger.unavailable' });
    state.down = false;
    await expect(signIn(of)).resolves.toBeDefined();
  });
});
