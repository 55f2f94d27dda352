// A small permissive gateway for tests of this protocol: real sockets, a real target, rulings by the test.
import { Fault } from '../../domain/fault.ts';
import type { Masks } from '../../domain/decision.ts';
import type { Denial, Permit } from '../../domain/permit.ts';
import type { Principal } from '../../domain/principal.ts';
import type { Meaning, Outcome, Statement } from '../../domain/statement.ts';
import type { Target } from '../../domain/target.ts';
import { listen } from '../../listeners/listen.ts';
import type { ListenerTls } from '../../listeners/tls-server.ts';
import type { LabelRule } from '../../sql/catalogue.ts';
import { openAnalyser } from '../../sql/analyse.ts';
import { loadParser } from '../../sql/parse.ts';
import { dialTarget } from '../../targets/dial.ts';
import type { Backend, Gateway, Session, TargetLink, Wait } from '../protocol.ts';
import { openCatalogues } from './catalogues.ts';
import { ownLink } from './own-connection.ts';
import { postgres, type PostgresOptions } from './postgres.ts';

export interface Peer {
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
}

export type Rule = 'permit' | 'hold' | { readonly deny: string } | { readonly masks: Masks } | Fault;

export interface Ruled {
  readonly statement: Statement;
  readonly sequence: number;
  outcome?: Outcome;
}

export interface Hold {
  readonly statement: Statement;
  resolve(how: 'grant' | Denial['cause']): void;
}

export interface HarnessOptions {
  rule?(statement: Statement): Rule;
  preview?(meaning: Meaning): 'permit' | 'hold' | 'deny';
  readonly labels?: readonly LabelRule[];
  readonly tls?: ListenerTls;
  readonly plaintext?: 'refuse' | 'loopback';
  readonly postgres?: Partial<PostgresOptions>;
}

export interface Harness {
  readonly port: number;
  /** Every statement submitted, in order, with its outcome. */
  readonly statements: Ruled[];
  readonly holds: Hold[];
  /** What was recorded as seen by clients. */
  recorded(): Buffer;
  copied(): Buffer;
  readonly faults: Fault[];
  readonly sessions: { end(fault: Fault): void; closed?: string; backend?: Backend }[];
  readonly unsettled: () => number;
  close(): Promise<void>;
}

export const token = 'a-token-of-the-test';

export async function openHarness(peer: Peer, options: HarnessOptions = {}): Promise<Harness> {
  await loadParser();
  const target: Target = {
    name: 'shop',
    protocol: 'postgres',
    host: '127.0.0.1',
    port: peer.port,
    ack: { read: 'written', write: 'synced' },
    database: 'postgres',
  };
  const credential = { user: peer.superuser, password: async () => peer.password, tls: 'disable' as const };
  const labels = options.labels ?? [];
  const catalogues = openCatalogues({
    dial: async () => ownLink(await dialTarget(target), credential),
    labels: () => labels,
    now: () => performance.now(),
    schedule: (ms, call) => {
      const timer = setTimeout(call, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  });
  const statements: Ruled[] = [];
  const holds: Hold[] = [];
  const faults: Fault[] = [];
  const seen: Buffer[] = [];
  const copied: Buffer[] = [];
  const sessions: Harness['sessions'] = [];
  const cancels = new Map<string, () => void>();
  const open = new Set<Permit>();
  const byPermit = new Map<Permit, Ruled>();

  const openSession = (database: string): Session => {
    const controller = new AbortController();
    let sequence = 0;
    const mine: Harness['sessions'][number] = { end: (fault) => controller.abort(fault) };
    sessions.push(mine);
    const permitted = new WeakSet<Permit>();
    const mint = (ruled: Ruled, masks: Masks): Permit => {
      const permit: Permit = { granted: true, entry: ruled.sequence, sequence: ruled.sequence, masks };
      permitted.add(permit);
      if (ruled.statement.kind !== 'connect') {
        open.add(permit);
        byPermit.set(permit, ruled);
      }
      return permit;
    };
    const denial = (sequenceOf: number, cause: Denial['cause'], reason: string): Denial => ({
      granted: false,
      entry: sequenceOf,
      reason,
      advice: 'Do something else.',
      next: cause === 'policy' ? 'change' : 'final',
      cause,
    });
    return {
      id: `s${sessions.length}`,
      principal: { issuer: 'i', subject: 's' } as Principal,
      target,
      database,
      ended: controller.signal,
      onCut: () => {},
      submit(statement: Statement, wait?: Wait) {
        const ruled: Ruled = { statement, sequence: ++sequence };
        statements.push(ruled);
        const rule = options.rule?.(statement) ?? 'permit';
        if (rule instanceof Fault) return Promise.reject(rule);
        if (rule === 'permit' || (rule === 'hold' && statement.kind === 'prepare'))
          return Promise.resolve(mint(ruled, []));
        if (rule === 'hold') {
          return new Promise((resolve) => {
            const settle = (how: 'grant' | Denial['cause']) => {
              if (how === 'grant') resolve(mint(ruled, []));
              else resolve(denial(ruled.sequence, how, `the request was ${how}`));
            };
            holds.push({ statement, resolve: settle });
            wait?.signal?.addEventListener('abort', () => settle('withdrawn'));
            wait?.held?.({
              id: `r${ruled.sequence}`,
              url: 'http://console.example/approvals/r1',
              group: 'dba',
              expires: 0,
            });
          });
        }
        if ('deny' in rule) return Promise.resolve(denial(ruled.sequence, 'policy', rule.deny));
        return Promise.resolve(mint(ruled, rule.masks));
      },
      preview: (meaning) => options.preview?.(meaning) ?? 'permit',
      async dial(permit) {
        if (!permitted.has(permit)) throw new Error('forged permit');
        const stream = await dialTarget(target);
        const link: TargetLink = {
          credential,
          secure: false,
          local: stream.local,
          open: (sink) => stream.open(sink),
          send(bytes, by) {
            if (!permitted.has(by)) throw new Error('forged permit');
            return stream.write(bytes);
          },
          secureNow: () => Promise.reject(new Error('no TLS here')),
          pause: () => stream.pause(),
          resume: () => stream.resume(),
          end: () => stream.end(),
          destroy: () => stream.destroy(),
        };
        return link;
      },
      async reached(backend) {
        mine.backend = backend;
      },
      settle(permit, outcome) {
        const ruled = byPermit.get(permit);
        if (!ruled || !open.delete(permit)) throw new Error('settled twice, or a permit that is not ours');
        ruled.outcome = outcome;
      },
      record: (side, bytes) => void (side === 'target' ? seen : copied).push(Buffer.from(bytes)),
      recordUnkept: () => undefined,
      async close(cause) {
        mine.closed = cause;
      },
    };
  };
  const gateway: Gateway = {
    async signIn(credentialOf, wish) {
      if (credentialOf === undefined)
        throw new Fault('sign-in.missing', 'A token of https://issuer.example is needed as the password.');
      if (credentialOf !== token) throw new Fault('sign-in.invalid', 'The token is not valid.');
      if (wish.target !== 'shop') throw new Fault('target.unknown', `There is no target "${wish.target}" for you.`);
      return openSession(wish.database ?? target.database);
    },
    cancels: {
      add(key, cancel) {
        cancels.set(key, cancel);
        return () => void cancels.delete(key);
      },
      find: (key) => cancels.get(key),
    },
  };
  const protocol = postgres({
    analyser: openAnalyser(),
    catalogues,
    labels: () => labels,
    maskKey: Buffer.alloc(32, 7),
    onFault: (fault) => void faults.push(fault),
    ...options.postgres,
  });
  const serving = new Set<Promise<void>>();
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    tls: options.tls,
    plaintext: options.plaintext ?? 'loopback',
    directTls: 'postgresql',
    limits: { links: 100 },
    onLink(link) {
      const served = protocol.serve(link, gateway);
      serving.add(served);
      void served.finally(() => serving.delete(served));
    },
  });
  return {
    port: listener.port,
    statements,
    holds,
    faults,
    sessions,
    recorded: () => Buffer.concat(seen),
    copied: () => Buffer.concat(copied),
    unsettled: () => open.size,
    async close() {
      await listener.close();
      await Promise.all(serving);
      catalogues.close();
    },
  };
}
