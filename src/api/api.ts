// The HTTP API and the console (DESIGN §9, docs/api.md): routes, sign-in, live events and files on one server.
import fastifyCookie from '@fastify/cookie';
import fastifyHelmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { ApproverKeys } from '../approvals/approver-keys.ts';
import type { Principal } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Locks } from '../session/locks.ts';
import type { Store } from '../store/store.ts';
import { openAccess } from './access.ts';
import { approvalRoutes, type Inbox } from './approval-routes.ts';
import { authRoutes, cookieNames } from './auth-routes.ts';
import { openConsoleSessions } from './console-sessions.ts';
import type { LedgerStatus, ObjectsStatus, TargetRow } from './contract.ts';
import { openEvents } from './events.ts';
import { type ExportParts, exportRoutes } from './export-routes.ts';
import { loopback, openGuard } from './guard.ts';
import { openApiDocument } from './openapi.ts';
import { type Answer, answerFor } from './problem.ts';
import { keyRoutes } from './key-routes.ts';
import { lockRoutes } from './lock-routes.ts';
import { type PolicyParts, policyRoutes } from './policy-routes.ts';
import { register, type Route } from './route.ts';
import { type RetentionParts, retentionRoutes } from './retention-routes.ts';
import { reconcileRoutes } from './reconcile-routes.ts';
import { type SessionParts, sessionRoutes } from './session-routes.ts';
import { openSignIn, type SignInOptions } from './sign-in.ts';
import { statusRoutes } from './status-routes.ts';
import { serveWeb } from './web-files.ts';

export interface ConsoleOptions {
  readonly address: string;
  /** 0 lets the system choose; `url` then only names the scheme and host. */
  readonly port: number;
  /** Origin that people open. */
  readonly url: string;
  /** PEM; absent behind a proxy that ends TLS, and on loopback. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly signIn?: Omit<SignInOptions, 'callback' | 'verify'>;
  readonly viewers: readonly string[];
  readonly admins: readonly string[];
}

export interface ApiOptions extends Pick<SessionParts, 'readRecording' | 'replayers'> {
  readonly console: ConsoleOptions;
  readonly store: Store;
  readonly approvals: Inbox;
  readonly keys: ApproverKeys;
  readonly locks: Locks;
  readonly gateway: {
    sessions(): readonly unknown[];
    /** False when the session is not live. */
    kill(id: string, by: Principal, reason: string): Promise<boolean>;
  };
  readonly identity: { verify(token: string): Promise<Principal> };
  readonly ledger: Pick<Ledger, 'origin' | 'vkey' | 'status' | 'append'>;
  /** How the second place of the record stands; absent without one. */
  objects?(): ObjectsStatus;
  /** How the ledger's disk and its witnesses stand. */
  health?(): Pick<LedgerStatus, 'disk' | 'witnesses'>;
  readonly targets: readonly TargetRow[];
  readonly policy: PolicyParts;
  readonly retention: RetentionParts;
  readonly exports?: ExportParts['exports'] | undefined;
  /** Build of the console (web/dist); without one the first page says how to build it. */
  readonly webFolder?: string;
  readonly version?: string;
  /** Milliseconds since the epoch. */
  now?(): number;
  /** What went wrong on our side, for the operator's log; the answer told only the incident id. */
  failed(incident: string, error: unknown): void;
}

export interface Api {
  /** Resolves with the address to open. */
  listen(): Promise<{ readonly url: string }>;
  /** Ends live events and open requests. */
  close(): Promise<void>;
}

const bodyLimit = 64 * 1024;
const requestMs = 30_000;
const mostConnections = 2_000;

function unused(): never {
  throw new Error('a route has a schema of the framework: state it in route.ts instead');
}

export async function openApi(options: ApiOptions): Promise<Api> {
  const { console: of, store, approvals: inbox, ledger, gateway, identity } = options;
  const now = options.now ?? Date.now;
  const url = new URL(of.url);
  const access = openAccess(of);
  const sessions = openConsoleSessions();
  const guard = openGuard({
    url,
    cookie: cookieNames(url).session,
    sessions,
    verify: (token) => identity.verify(token),
    now,
  });
  const events = openEvents({ access, store, inbox });
  const signIn =
    of.signIn &&
    openSignIn({
      ...of.signIn,
      callback: () => `${url.origin}/auth/callback`,
      verify: (token) => identity.verify(token),
    });
  const incident = (answer: Answer, error: unknown) => {
    if (answer.incident !== undefined) options.failed(answer.incident, error);
  };

  const server = Fastify({
    ...(of.tls ? { https: { ...of.tls, minVersion: 'TLSv1.2' } } : {}),
    bodyLimit,
    requestTimeout: requestMs,
    forceCloseConnections: true,
    return503OnClosing: false,
    exposeHeadRoutes: false,
    // A path that cannot be read never reaches a route.
    frameworkErrors: (error: unknown, _: unknown, reply: FastifyReply) => void fail(reply, error),
    routerOptions: { maxParamLength: 200 },
    // Routes check with their own schemas (route.ts); the compilers of the framework's are not even loaded.
    schemaController: { compilersFactory: { buildValidator: () => unused, buildSerializer: () => unused } },
  } as object) as FastifyInstance;
  server.server.maxConnections = mostConnections;
  server.setErrorHandler((error, _, reply) => fail(reply, error));
  server.addHook('onRequest', async (request, reply) => {
    guard.checkHost(request);
    const place = guard.properPlace(request);
    if (place !== undefined) return reply.redirect(place, 302);
    reply.header('permissions-policy', 'camera=(), microphone=(), geolocation=()');
    if (/^\/(api|auth)(\/|$)/.test(request.url)) reply.header('cache-control', 'no-store');
    return undefined;
  });
  await server.register(fastifyHelmet, headers(url));
  await server.register(fastifyCookie);

  function fail(reply: FastifyReply, error: unknown): FastifyReply {
    const answer = answerFor(error);
    incident(answer, error);
    if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
    return reply.code(answer.status).send(answer.problem);
  }

  const routes: Route[] = [
    ...statusRoutes({
      access,
      ledger,
      inbox,
      store,
      ...(options.objects ? { objects: options.objects } : {}),
      ...(options.health ? { health: options.health } : {}),
      targets: options.targets,
      retention: options.retention.retention,
      live: () => gateway.sessions().length,
      now,
    }),
    ...retentionRoutes({ ...options.retention, access }),
    ...sessionRoutes({
      ...options,
      retention: options.retention.retention,
      access,
      kill: (id, by, reason) => gateway.kill(id, by, reason),
    }),
    ...approvalRoutes({ access, inbox, store }),
    ...keyRoutes({ access, keys: options.keys }),
    ...lockRoutes({ access, locks: options.locks }),
    ...policyRoutes({ ...options.policy, access, now }),
    ...reconcileRoutes({ access, ledger, targets: options.targets }),
    ...exportRoutes({ access, exports: options.exports }),
  ];
  register(server, routes, guard.signedIn);
  let document: Record<string, unknown> | undefined;
  server.get('/api/openapi.json', () => (document ??= openApiDocument(routes, options.version ?? '0')));

  server.get('/api/events', async (request, reply) => {
    const principal = await guard.signedIn(request);
    events.admit(principal);
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    });
    events.add(principal, reply.raw, guard.stillSignedIn(request, principal));
  });

  authRoutes(server, { url, guard, sessions, signIn, now, incident });
  await serveWeb(server, options.webFolder);

  return {
    async listen() {
      await server.listen({ host: of.address, port: of.port });
      const bound = server.server.address() as { port: number };
      if (of.port === 0) url.port = String(bound.port);
      // The machine's own ways to itself, for health checks and the command line beside the gateway.
      guard.allowHosts([url.host, ...[...loopback].map((host) => `${host}:${bound.port}`)]);
      return { url: url.origin };
    },
    async close() {
      events.close();
      await server.close();
    },
  };
}

/** Nothing inline, nothing from elsewhere, in nobody's frame. */
function headers(url: URL) {
  const self = ["'self'"];
  const none = ["'none'"];
  const https = url.protocol === 'https:';
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': none,
        'script-src': self,
        'style-src': self,
        'img-src': [...self, 'data:'],
        'connect-src': self,
        'font-src': self,
        'base-uri': none,
        'frame-ancestors': none,
        'form-action': self,
      },
    },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    // Meaningful only together with https, where it is at home.
    originAgentCluster: https,
  } as const;
}
