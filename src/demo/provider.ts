// The demo's OpenID Connect provider: a real one (oidc-provider) in this process, on loopback, with keys, client secrets and a
// password of this run. People sign in with authorization code and PKCE, agents get tokens by client credentials.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { agents, claimsOf, isAgent, isPerson } from './accounts.ts';
import { providerMemory } from './provider-memory.ts';
import { messagePage, pageHeaders, signInPage } from './sign-in-page.ts';

export interface Provider {
  readonly issuer: string;
  /** What every person types; made for this run. */
  readonly password: string;
  /** A signed access token with audience `countersign` for a person or an agent, valid for an hour. */
  tokenFor(who: string): Promise<string>;
  stop(): Promise<void>;
}

export interface ProviderOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  /** Where the console's sign-in ends. */
  readonly consoleRedirect?: string;
}

const audience = 'countersign';
const resource = 'urn:countersign';
const consoleClient = 'countersign-console';
const lifetime = 3_600;
const wrongPerMinute = 20;
const scopes = ['openid', 'profile', 'email'] as const;

/** Starts it on 127.0.0.1. The package is loaded here, so that only the demo needs it. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const { default: Oidc, interactionPolicy } = await import('oidc-provider');
  const redirect = options.consoleRedirect ?? 'http://127.0.0.1/auth/callback';
  const password = readable();
  const secrets = new Map(Object.keys(agents).map((name) => [name, randomBytes(32).toString('base64url')]));
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), use: 'sig', alg: 'ES256', kid: randomBytes(8).toString('hex') };

  let serve: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => serve(request, response));
  await new Promise<void>((ready, failed) => server.once('error', failed).listen(options.port, '127.0.0.1', ready));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const policy = interactionPolicy.base();
  policy.remove('consent');

  const resourceServer = {
    audience,
    scope: '',
    accessTokenFormat: 'jwt',
    accessTokenTTL: lifetime,
    jwt: { sign: { alg: 'ES256' } },
  } as const;
  const provider = new Oidc(issuer, {
    adapter: providerMemory(Date.now),
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        client_id: consoleClient,
        client_name: 'Countersign console',
        token_endpoint_auth_method: 'none',
        redirect_uris: [redirect],
        post_logout_redirect_uris: [new URL(redirect).origin],
      },
      ...[...secrets].map(([client_id, client_secret]) => ({
        client_id,
        client_secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
    ],
    scopes: [...scopes],
    claims: { openid: ['sub'], profile: ['name', 'kind', 'groups'], email: ['email', 'email_verified'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, wanted) => {
          if (wanted !== resource) throw new Error('unknown resource');
          return resourceServer;
        },
      },
    },
    extraTokenClaims: (_, token) =>
      claimsOf('accountId' in token && token.accountId ? token.accountId : (token.clientId ?? '')),
    findAccount: (_, id) =>
      isPerson(id) ? { accountId: id, claims: () => ({ sub: id, ...claimsOf(id) }) } : undefined,
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client!.clientId,
        accountId: ctx.oidc.session!.accountId!,
      });
      grant.addOIDCScope(scopes.join(' '));
      await grant.save();
      return grant;
    },
    interactions: { policy, url: (_, interaction) => `/sign-in/${interaction.uid}` },
    pkce: { required: () => true },
    ttl: {
      AccessToken: lifetime,
      ClientCredentials: lifetime,
      IdToken: lifetime,
      Interaction: 600,
      Session: lifetime,
      Grant: lifetime,
    },
    renderError(ctx, out) {
      ctx.set(pageHeaders([]));
      ctx.body = messagePage(
        'That did not work',
        `${out.error}: ${out.error_description ?? 'start again at the console'}`,
      );
    },
  });
  const main = provider.callback();

  let wrong: number[] = [];
  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { uid } = await provider.interactionDetails(request, response);
    const answer = (status: number, page: string) =>
      response.writeHead(status, pageHeaders([new URL(redirect).origin])).end(page);
    const action = `/sign-in/${uid}`;
    if (request.method !== 'POST') return void answer(200, signInPage(action, 'dana'));
    const form = new URLSearchParams(await readBody(request));
    const person = form.get('person') ?? '';
    wrong = wrong.filter((at) => at > Date.now() - 60_000);
    if (wrong.length >= wrongPerMinute)
      return void answer(429, signInPage(action, person, 'Too many wrong passwords. Wait a minute and try again.'));
    if (!isPerson(person) || !same(form.get('password') ?? '', password)) {
      wrong.push(Date.now());
      return void answer(
        401,
        signInPage(action, person, 'That is not the password. The terminal that runs the demo shows it.'),
      );
    }
    await provider.interactionFinished(request, response, { login: { accountId: person, remember: false } });
  }

  serve = (request, response) => {
    // Everyone chooses anew who they are: the demo is about several people at one browser.
    if (request.url?.startsWith('/auth')) request.headers.cookie = withoutSession(request.headers.cookie);
    if (!request.url?.startsWith('/sign-in/')) return void main(request, response);
    signIn(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(400, pageHeaders([]));
      response.end(
        messagePage('This sign-in is over', 'It took too long or was finished before. Start again at the console.'),
      );
    });
  };

  async function agentToken(name: string): Promise<string> {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${name}:${secrets.get(name)}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
    });
    const body = (await response.json()) as { access_token?: string; error?: string };
    if (!body.access_token) throw new Error(`the provider gave ${name} no token: ${body.error ?? response.status}`);
    return body.access_token;
  }

  async function personToken(name: string): Promise<string> {
    const client = (await provider.Client.find(consoleClient))!;
    const token = new provider.AccessToken({
      client,
      accountId: name,
      grantId: randomBytes(16).toString('hex'),
      gty: 'authorization_code',
      resourceServer: new provider.ResourceServer(resource, resourceServer),
    });
    return token.save();
  }

  return {
    issuer,
    password,
    async tokenFor(who) {
      if (isAgent(who)) return agentToken(who);
      if (isPerson(who)) return personToken(who);
      throw new Error(`nobody here is called ${who}`);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** Twelve letters and digits in groups of four, without those that look alike: 58 bits. */
function readable(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  const picked = Array.from({ length: 12 }, () => letters[randomBytes(4).readUInt32BE() % letters.length]!);
  return picked.join('').replace(/.{4}(?=.)/g, '$&-');
}

function withoutSession(cookies: string | undefined): string | undefined {
  return cookies
    ?.split(/;\s*/)
    .filter((cookie) => !cookie.startsWith('_session'))
    .join('; ');
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > 4_096) throw new Error('too long');
  }
  return text;
}
