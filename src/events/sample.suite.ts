// One entry of every type, as the gateway writes them: a small history with a hold, a denial, a mask, a failure and an orphan.
import type { EntryType, Json } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';

interface Written {
  readonly type: EntryType | (string & {});
  readonly session?: string;
  readonly sequence?: number;
  readonly facts: { readonly [key: string]: Json | undefined };
  readonly payload?: { readonly [group: string]: Json };
}

export const secretLiteral = 'alice@example.com';

const hex = 'ab'.repeat(32);
const who = {
  principal: {
    id: 'https://idp.example|agent-7',
    kind: 'agent',
    issuer: 'https://idp.example',
    subject: 'agent-7',
    name: 'release bot',
    groups: ['agents'],
    owner: 'ada@example.com',
    claims: { repo: 'shop' },
    delegation: [{ subject: 'ada' }],
    credential: { type: 'jwt', alg: 'ES256', jti: 'j-1', sha256: hex },
  },
  claimed: { user: 'agent', application: 'psql', address: '127.0.0.1:50432' },
};
const facts = { a: 'written', e: ['sql:read'], k: 'execute', p: '0123456789abcdef', r: ['base'] };
const effects = [{ action: 'sql:read', resource: 'public.customers' }];
const approval = { id: 'ap-1', digest: hex, session: 's1', of: 2 };
const request = {
  requester: { principal: 'https://idp.example|agent-7', name: 'release bot', kind: 'agent', owner: 'ada@example.com' },
  target: { name: 'shop', protocol: 'postgres', database: 'shop' },
  action: { kind: 'execute', text: 'delete from customers' },
};

export const history: readonly Written[] = [
  { type: 'log.genesis', facts: { origin: 'example.test/log', vkey: 'example.test/log+1+x' } },
  {
    type: 'gateway.start',
    facts: { boot: 'b1', version: '0.1.0', previous: { boot: 'b0', last: 0, ended: 'created', torn: 0 } },
  },
  { type: 'config.snapshot', facts: { version: hex } },
  { type: 'policy.version', facts: { version: `sha256:${hex}`, rules: 4 }, payload: { admin: { files: [] } } },
  {
    type: 'sign-in.refused',
    facts: { code: 'sign-in.invalid' },
    payload: { who: { claimed: { user: 'eve', target: 'shop' }, remote: '::ffff:10.0.0.9:4711' } },
  },
  {
    type: 'session.refused',
    facts: { code: 'target.unknown' },
    payload: { who: { claimed: {}, remote: 'unknown:0', principal: 'https://idp.example|x' } },
  },
  {
    type: 'session.open',
    session: 's1',
    facts: { database: 'shop', kind: 'agent', p: facts.p, protocol: 'postgres', target: 'shop' },
    payload: { who, target: { labels: ['pii.email'] } },
  },
  {
    type: 'statement.decision',
    session: 's1',
    sequence: 1,
    facts: { ...facts, d: 'permit', e: ['connect'], k: 'connect' },
    payload: { what: { text: '', effects: [{ action: 'connect', resource: 'shop' }] } },
  },
  { type: 'session.target', session: 's1', facts: { pid: 4242 } },
  {
    type: 'statement.decision',
    session: 's1',
    sequence: 2,
    facts: { ...facts, d: 'hold', e: ['sql:delete'], approval: 'ap-1' },
    payload: {
      what: {
        text: 'delete from customers',
        effects: [{ action: 'sql:delete', resource: 'public.customers' }],
        advice: 'ask',
      },
    },
  },
  {
    type: 'approval.request',
    facts: { ...approval, group: 'dba', quorum: 1, expires: 1_800_000_000_000 },
    payload: { approval: { request, digest: hex } },
  },
  {
    type: 'approval.vote',
    facts: { ...approval, answer: 'grant', grade: 'session' },
    payload: { approval: { voter: 'https://idp.example|ada', voterName: 'Ada', reason: 'agreed' } },
  },
  {
    type: 'approval.resolution',
    facts: { ...approval, state: 'granted' },
    payload: { approval: { id: 'ap-1', state: 'granted', votes: [{ voter: 'x' }] } },
  },
  {
    type: 'statement.decision',
    session: 's1',
    sequence: 2,
    facts: { ...facts, d: 'permit', e: ['sql:delete'], approval: 'ap-1' },
  },
  {
    type: 'statement.outcome',
    session: 's1',
    sequence: 2,
    facts: { bytes: 12, masked: [], rows: 3, status: 'done', tag: 'DELETE 3' },
  },
  {
    type: 'statement.decision',
    session: 's1',
    sequence: 3,
    facts: { ...facts, d: 'deny', e: ['sql:drop'], r: ['no-drop'], s: { d: 'permit', r: [] } },
    payload: { what: { text: 'drop table customers', reason: 'never', advice: 'do not', effects } },
  },
  {
    type: 'statement.decision',
    session: 's1',
    sequence: 4,
    facts: { ...facts, d: 'permit', tr: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    payload: {
      what: {
        text: "select email from customers where email = '***'",
        parameters: [secretLiteral],
        effects: [{ ...effects[0]!, labels: ['pii.email'] }],
        masks: [{ column: 0, label: 'pii.email', method: 'partial', result: 0, whole: false }],
      },
    },
  },
  {
    type: 'statement.outcome',
    session: 's1',
    sequence: 4,
    facts: {
      bytes: 99,
      masked: [{ cells: 2, label: 'pii.email', method: 'partial' }],
      rows: 2,
      status: 'done',
      tag: 'SELECT 2',
    },
  },
  {
    type: 'statement.decision',
    session: 's1',
    sequence: 5,
    facts: { ...facts, d: 'permit' },
    payload: { what: { text: 'select 1/0', effects } },
  },
  {
    type: 'statement.outcome',
    session: 's1',
    sequence: 5,
    facts: { bytes: 0, code: '22012', masked: [], rows: 0, status: 'failed' },
  },
  {
    type: 'evidence.access',
    facts: { what: 'replay', session: 's1' },
    payload: { admin: { by: 'https://idp.example|ada', byName: 'Ada' } },
  },
  {
    type: 'session.kill',
    facts: { session: 's1' },
    payload: { admin: { by: 'https://idp.example|ada', byName: 'Ada', reason: 'enough' } },
  },
  {
    type: 'session.seal',
    session: 's1',
    facts: { n: 5, cause: 'killed', recording: { chunks: 1, bytes: 10, root: hex } },
  },
  {
    type: 'session.open',
    session: 's2',
    facts: { database: '', kind: 'human', p: facts.p, protocol: 'ssh', target: 'bastion' },
    payload: { who: { principal: { ...who.principal, kind: 'human' }, claimed: {} } },
  },
  {
    type: 'statement.decision',
    session: 's2',
    sequence: 1,
    facts: { ...facts, d: 'permit', e: ['connect'], k: 'connect' },
    payload: { what: { text: '' } },
  },
  { type: 'statement.outcome', session: 's2', sequence: 1, facts: { bytes: 0, masked: [], rows: 0, status: 'lost' } },
  { type: 'session.orphaned', session: 's2', facts: { n: 1, cause: 'the gateway ended before the session did' } },
  { type: 'heartbeat', facts: { sessions: 0 } },
  { type: 'journal.seal', facts: { bytes: 100, entries: 10, first: 0, sha256: hex } },
  { type: 'export.receipt', facts: { sink: 'siem', first: 0, next: 10, count: 10, digest: hex } },
  { type: 'checkpoint.timestamp', facts: { size: 10 } },
  { type: 'checkpoint.receipt', facts: { size: 10 } },
  {
    type: 'approver-key.enrol',
    facts: { key: 'k-1' },
    payload: { admin: { key: { ssh: 'ssh-ed25519 AAAA', person: 'https://idp.example|ada' } } },
  },
  {
    type: 'approver-key.vouch',
    facts: { key: 'k-1' },
    payload: { admin: { by: 'https://idp.example|ben', fingerprint: 'SHA256:x' } },
  },
  {
    type: 'approver-key.revoke',
    facts: { key: 'k-1' },
    payload: { admin: { by: 'https://idp.example|ada', reason: 'lost' } },
  },
  {
    type: 'lock.set',
    facts: { lock: 'l-1', kind: 'owner', ended: 2 },
    payload: {
      admin: { by: 'https://idp.example|ada', byName: 'Ada', kind: 'owner', value: 'x@example.com', reason: 'left' },
    },
  },
  { type: 'lock.lift', facts: { lock: 'l-1' }, payload: { admin: { by: 'https://idp.example|ada', reason: '' } } },
  { type: 'log.successor', facts: { vkey: 'example.test/log+2+y' } },
  { type: 'retention.hold', facts: { id: 'case-1' } },
  { type: 'retention.release', facts: { id: 'case-1' } },
  { type: 'retention.shred', facts: { rule: 'short', keys: ['k-2'], sessions: 1, by: 'schedule' } },
  { type: 'keys.rewrap', facts: { to: 'vault:transit/countersign', keys: 3 } },
  { type: 'storage.probe', facts: { result: 'refused' } },
  { type: 'storage.probe', facts: { result: 'deleted' } },
  { type: 'reconcile.result', facts: { matched: 10, onlyInTarget: 0 } },
  { type: 'reconcile.result', facts: { matched: 10, onlyInTarget: 2 } },
  { type: 'gateway.stop', facts: { boot: 'b1' } },
];

/** The history as it is read back; without payloads where their key was destroyed. */
export function sampleItems(shredded = false): JournalItem[] {
  return history.map(({ type, session, sequence, facts: x, payload }, index) => ({
    index,
    entry: {
      v: 1,
      t: type as EntryType,
      ts: 1_763_629_200_000 + index,
      gw: 'gw-a',
      boot: 'b1',
      ...(session === undefined ? {} : { sid: session }),
      ...(sequence === undefined ? {} : { sq: sequence }),
      x,
      ...(payload
        ? { c: Object.fromEntries(Object.keys(payload).map((group) => [group, 'c'.repeat(43)])), k: 'k1' }
        : {}),
    },
    ...(payload ? { payload: shredded ? ('shredded' as const) : payload } : {}),
  }));
}
