// A gateway's inside for the tests of API and CLI: real ledger, store, approvals, sessions, recordings, identity and provider; only
// the wire of a protocol is left out.
import { hash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { openApproverKeys } from '../approvals/approver-keys.ts';
import { type Approvals, openApprovals } from '../approvals/inbox.ts';
import { type Provider, startProvider } from '../demo/provider.ts';
import type { Action } from '../domain/effect.ts';
import type { Link } from '../domain/link.ts';
import type { Holding } from '../domain/permit.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Statement } from '../domain/statement.ts';
import { openIdentity } from '../identity/identity.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { rewrapKeys } from '../ledger/keys-rewrapping.ts';
import { fileKeyProvider } from '../ledger/master-key.ts';
import { recordingFile } from '../ledger/verify-recordings.ts';
import { openRetention } from '../retention/retention.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { openPolicy } from '../policy/policy.ts';
import { explainMeaning } from '../policy/explain-statement.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import type { Session } from '../protocols/protocol.ts';
import { replayPostgres } from '../protocols/postgres/replay.ts';
import { readRecording } from '../recordings/reading.ts';
import { openRecorder } from '../recordings/recorder.ts';
import { openGateway, type OpenGateway } from '../session/gateway.ts';
import { openLocks } from '../session/locks.ts';
import { openPolicyHolder } from '../session/policy-holder.ts';
import { openKeptLocks } from '../store/locks.ts';
import { openKeptKeys } from '../store/approver-keys.ts';
import { openBacktester } from '../store/backtester.ts';
import { openStore, type Store } from '../store/store.ts';
import { type Api, type ApiOptions, openApi } from './api.ts';
import type { Problem } from './contract.ts';

const policies = `@id("all") permit (principal, action, resource) unless { action == Action::"sql:reveal" };
@id("no-drop") @advice("Ask a dba.") forbid (principal, action == Action::"sql:drop", resource);
@id("hold-delete") @hold("dba") @ttl("60s") @advice("Wait.") forbid (principal, action == Action::"sql:delete", resource);
@id("hold-truncate") @hold("dba") @ttl("60s") @signed @advice("Wait.") forbid (principal, action == Action::"sql:truncate", resource);
`;

export interface World {
  readonly place: LedgerPlace;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly approvals: Approvals;
  readonly gateway: OpenGateway;
  readonly provider: Provider;
  readonly api: Api;
  readonly url: string;
  readonly failures: { readonly incident: string; readonly error: unknown }[];
  token(who: string): Promise<string>;
  /** Calls the API as one of the demo's people or agents. */
  call<T = Problem>(who: string, path: string, body?: unknown): Promise<{ status: number; body: T }>;
  session(agent?: string): Promise<Session>;
  /** The store shows everything that was appended so far. */
  caughtUp(): Promise<void>;
  pass(ms: number): void;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export async function world(
  change: Partial<ApiOptions['console']> & { webFolder?: string; exports?: ApiOptions['exports'] } = {},
): Promise<World> {
  const place = await ledgerPlace();
  ends.push(() => place.remove());
  const { ledger } = await openLedger(place);
  ends.push(() => ledger.close());
  let passed = 0;
  const now = () => Date.now() + passed;
  const timers = { set: setTimeout, clear: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout) };
  const kept = openKeptKeys(place.state);
  ends.push(() => kept.close());
  const rules = { rpId: 'localhost', origin: 'http://localhost', deviceBound: false };
  const approverKeys = openApproverKeys({
    ledger,
    kept,
    rules,
    enrolment: 'vouched',
    admins: change.admins ?? ['dba'],
    now,
  });
  const approvals = openApprovals({ ledger, now, timers, keys: approverKeys, baseUrl: 'http://127.0.0.1' });
  const policy = openPolicyHolder(ledger);
  const set = loadPolicies([{ name: 'test.cedar', text: policies }]);
  await policy.activate(openPolicy(set, { methodFor: () => ({ method: 'full' }) }));
  // The provider must know where the console is before either runs.
  const port = await freePort();
  const provider = await startProvider({ port: 0, consoleRedirect: `http://127.0.0.1:${port}/auth/callback` });
  ends.push(() => provider.stop());
  const verified = openIdentity(
    [
      {
        name: 'demo',
        issuer: provider.issuer,
        audience: 'countersign',
        discovery: true,
        algorithms: ['ES256'],
        clockSkewSeconds: 60,
        principal: {
          kind: { claim: 'kind', agent: ['agent'], human: ['human'] },
          name: 'name',
          groups: 'groups',
          email: 'email',
          owner: 'owner',
        },
      },
    ],
    { now: Date.now, fetch },
  );
  // These tests need somebody who sees everything and may do nothing.
  const identity = {
    async verify(token: string): Promise<Principal> {
      const principal = await verified.verify(token);
      return principal.subject === 'omar' ? { ...principal, groups: ['auditors'] } : principal;
    },
  };
  const recordings = join(place.root, 'recordings');
  const keptLocks = openKeptLocks(place.state);
  ends.push(() => keptLocks.close());
  const locks = openLocks({ ledger, kept: keptLocks, now });
  const gateway = openGateway({
    ledger,
    locks,
    policy,
    approvals,
    identity,
    goodbyeMs: 0,
    openRecorder: (session, key) => openRecorder({ folder: recordings, session, key }),
    targets: new Map([
      [
        'shop',
        {
          target: {
            name: 'shop',
            protocol: 'postgres',
            host: '127.0.0.1',
            port: 1,
            database: 'shop',
            ack: { read: 'written', write: 'synced' },
          },
          credential: { user: 'app', password: async () => undefined, tls: 'disable' },
          labels: [],
          dial: () => Promise.reject(new Error('nothing is dialled here')),
        },
      ],
    ]),
  });
  ends.push(() => gateway.stop('the test ends'));
  const keys = openKeyring(place.state);
  ends.push(() => keys.close());
  const failed = (message: string) => expect.fail(message);
  const store = openStore({ ledger: place.folder, state: place.state, file: join(place.root, 'store.sqlite'), failed });
  ends.push(() => store.close());
  ends.push(ledger.onAppend(store.advanced));
  const backtester = openBacktester({
    ledger: place.folder,
    state: place.state,
    masks: {},
    ttlSeconds: 900,
    sessionMs: 86_400_000,
  });
  ends.push(() => backtester.close());
  const retention = openRetention({
    rules: [{ id: 'short', targets: ['shop'], days: 1, recordings: 'delete' }],
    ledger,
    state: place.state,
    store,
    now,
    forget(gone, sessions) {
      keys.forget(gone);
      approvals.forget(sessions);
    },
    removeRecording: (session) => rm(join(recordings, recordingFile(session)), { force: true }),
  });
  const wrapping = fileKeyProvider(place.state);
  const failures: World['failures'] = [];
  const { webFolder, exports, ...console } = change;
  const api = await openApi({
    retention: {
      retention,
      rewrap: (wish, by, told) =>
        rewrapKeys({ ...wish, ledger, state: place.state, provider: wrapping, told, who: { by: principalId(by) } }),
    },
    console: {
      address: '127.0.0.1',
      port,
      url: `http://127.0.0.1:${port}`,
      viewers: ['auditors'],
      admins: ['dba'],
      signIn: { issuer: provider.issuer, clientId: 'countersign-console', scopes: ['openid'] },
      ...console,
    },
    store,
    keys: approverKeys,
    locks,
    approvals,
    gateway,
    identity,
    ledger,
    targets: [{ name: 'shop', protocol: 'postgres', labelledColumns: 0, ack: { read: 'written', write: 'synced' } }],
    policy: {
      current: () => set,
      surroundings: { targets: ['shop'], labels: [] },
      async explain({ target, principal }) {
        if (target !== 'shop') return undefined;
        const { meaning } = statement('drop table orders', 'sql:drop');
        const question = { principal, target, labels: [], time: now() };
        return explainMeaning(set, meaning, question, () => ({ method: 'full' }));
      },
      backtest: (files, wish) => backtester.run(files, wish),
    },
    readRecording: (session) => readRecording(recordings, session, keys),
    replayers: new Map([['postgres', replayPostgres]]),
    webFolder,
    exports,
    now,
    failed: (incident, error) => failures.push({ incident, error }),
  });
  const { url } = await api.listen();
  ends.push(() => api.close());

  const tokens = new Map<string, Promise<string>>();
  const token = (who: string) => tokens.get(who) ?? tokens.set(who, provider.tokenFor(who)).get(who)!;
  return {
    place,
    ledger,
    store,
    approvals,
    gateway,
    provider,
    api,
    url,
    failures,
    token,
    async call<T>(who: string, path: string, body?: unknown) {
      const response = await fetch(url + path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${await token(who)}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as T };
    },
    async session(agent = 'reporting-agent') {
      const claimed = { user: 'root', application: '<b>psql</b>' };
      return gateway.signIn(await token(agent), { target: 'shop', claimed }, { remote: '127.0.0.1:1' } as Link);
    },
    caughtUp: () => store.reached(ledger.status().entries),
    pass(ms) {
      passed += ms;
    },
  };
}

export function statement(text: string, action: Action = 'sql:read', parameters?: string[]): Statement {
  const meaning = { effects: [{ action, resource: { schema: 'public', relation: 'orders' } }], results: [] };
  const digest = () => hash('sha256', JSON.stringify([text, parameters]));
  return { kind: 'execute', text, parameters, digest, meaning };
}

/** Runs a statement to its end, as a protocol would. */
export async function run(session: Session, text: string, cells = 0, parameters?: string[]): Promise<void> {
  const permit = await session.submit(statement(text, 'sql:read', parameters));
  if (!permit.granted) throw new Error(permit.reason);
  session.record('target', commandComplete('SELECT 1'));
  const masked = cells > 0 ? [{ label: 'pii.email', method: 'partial', cells }] : [];
  session.settle(permit, { status: 'done', tag: 'SELECT 1', rows: 1, bytes: 20, masked });
}

/** A held statement, once its request is open to votes. */
export async function hold(session: Session, text: string, signal?: AbortSignal, action: Action = 'sql:delete') {
  const told = Promise.withResolvers<Holding>();
  const ruling = session.submit(statement(text, action), { signal, held: (holding) => told.resolve(holding) });
  ruling.catch(() => {});
  return { ruling, id: (await told.promise).id };
}

function commandComplete(tag: string): Buffer {
  const bytes = Buffer.alloc(6 + tag.length);
  bytes.write('C');
  bytes.writeInt32BE(5 + tag.length, 1);
  bytes.write(tag, 5);
  return bytes;
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** A browser's cookies, and its way through redirects. */
export class Browser {
  readonly cookies = new Map<string, string>();

  async go(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html', ...init.headers, cookie },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value) this.cookies.set(name!, value);
      else this.cookies.delete(name!);
    }
    return response;
  }

  /** Follows redirects to the first answer that is none. */
  async follow(start: string, stop?: (url: string) => boolean): Promise<{ url: string; response: Response }> {
    let url = start;
    for (let hops = 0; hops < 10; hops++) {
      if (stop?.(url)) return { url, response: new Response() };
      const response = await this.go(url);
      const location = response.headers.get('location');
      if (location === null) return { url, response };
      url = new URL(location, url).href;
    }
    throw new Error('redirects without end');
  }

  /** Through the provider's page, up to the address of the console's callback, which is not opened yet. */
  async toCallback(of: World, who: string, from = '/auth/sign-in'): Promise<string> {
    const { url } = await this.follow(of.url + from);
    const posted = await this.go(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ person: who, password: of.provider.password }).toString(),
    });
    const next = new URL(posted.headers.get('location')!, url).href;
    return (await this.follow(next, (at) => at.startsWith(`${of.url}/auth/callback`))).url;
  }

  async signIn(of: World, who: string, from?: string): Promise<string> {
    const response = await this.go(await this.toCallback(of, who, from));
    return response.headers.get('location') ?? '';
  }
}
