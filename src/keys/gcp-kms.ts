// Google Cloud KMS as the wrapper of data keys. The log's name and the key's id are additional authenticated data: a wrapped key
// opens in its log and under its id alone. Access tokens come from a service account's key, or from the metadata server.
import { importPKCS8, SignJWT } from 'jose';
import { type KeyProvider, providerDown, readStoredForm, storedForm } from '../ledger/key-provider.ts';
import { eachOf, type Service, type ServiceAnswer, ServiceSilent, textOf } from './service-request.ts';

export interface GcpKmsOptions {
  /** projects/…/locations/…/keyRings/…/cryptoKeys/… */
  readonly key: string;
  readonly endpoint?: string;
  readonly token: () => Promise<string>;
  readonly origin: string;
  readonly service: Service;
}

const width = 16;

export function gcpKmsProvider(options: GcpKmsOptions): KeyProvider {
  const { service, key } = options;
  const label = `gcp-kms:${key}`;
  const base = (options.endpoint ?? 'https://cloudkms.googleapis.com').replace(/\/+$/, '');
  const bound = (id: string) => Buffer.from(`countersign-key/v1\n${options.origin}\n${id}`).toString('base64');

  async function call(what: 'encrypt' | 'decrypt', parameters: object): Promise<ServiceAnswer> {
    try {
      const answer = await service.ask(async () => ({
        method: 'POST',
        url: `${base}/v1/${key}:${what}`,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await options.token()}` },
        body: JSON.stringify(parameters),
      }));
      const state = statusOf(answer);
      if (answer.status === 200 || (what === 'decrypt' && state === 'INVALID_ARGUMENT')) return answer;
      throw providerDown(label, `it answers ${state || answer.status}`);
    } catch (cause) {
      if (cause instanceof ServiceSilent) throw providerDown(label, cause.message);
      throw cause;
    }
  }

  return {
    label,
    opens: (name) => name === label,
    wrap: (keys) =>
      eachOf(keys, width, async ({ id, dek }) => {
        const { body } = await call('encrypt', {
          plaintext: dek.toString('base64'),
          additionalAuthenticatedData: bound(id),
        });
        const ciphertext = textOf(body, 'ciphertext');
        if (!ciphertext) throw providerDown(label, 'it does not encrypt with this key');
        return storedForm(label, Buffer.from(ciphertext, 'base64'));
      }),
    unwrap: (keys) =>
      eachOf(keys, width, async ({ id, wrapped }) => {
        const { bytes } = readStoredForm(wrapped)!;
        const { body } = await call('decrypt', {
          ciphertext: bytes.toString('base64'),
          additionalAuthenticatedData: bound(id),
        });
        const dek = Buffer.from(textOf(body, 'plaintext') ?? '', 'base64');
        return dek.length === 32 ? dek : 'Cloud KMS does not open it for this log and id';
      }),
    close: () => service.close(),
  };
}

function statusOf({ body }: ServiceAnswer): string {
  const status = textOf(body, 'error', 'status') ?? '';
  return /^[A-Z_]{1,60}$/.test(status) ? status : '';
}

export type TokenSource = () => Promise<string>;

/** Before a token ends another one is asked for, in seconds. */
const early = 60;

/** Keeps a token as long as it is good, and asks once for many who need it. */
function kept(label: string, fetchToken: () => Promise<ServiceAnswer>): TokenSource {
  let token: { readonly text: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;
  async function fresh(): Promise<string> {
    const answer = await fetchToken();
    const text = textOf(answer.body, 'access_token');
    const seconds = (answer.body as { expires_in?: unknown } | undefined)?.expires_in;
    if (answer.status !== 200 || !text) throw providerDown(label, `no access token: ${answer.status}`);
    token = { text, until: Date.now() + (Number(seconds) || 0) * 1_000 - early * 1_000 };
    return text;
  }
  return () => {
    if (token && Date.now() < token.until) return Promise.resolve(token.text);
    asking ??= fresh().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

interface ServiceAccount {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id?: string;
  readonly token_uri: string;
}

/** RFC 7523: a JWT of the service account for an access token. `read` gives the text of the credentials file. */
export function serviceAccountToken(read: () => Promise<string>, service: Service): TokenSource {
  return kept('gcp-kms', async () => {
    const account = parseAccount(await read());
    const { client_email: email, private_key_id: kid, token_uri: uri } = account;
    const key = await importPKCS8(account.private_key, 'RS256').catch(() => {
      throw providerDown('gcp-kms', 'the private key of the credentials file cannot be read');
    });
    return service.ask(async () => {
      const assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/cloudkms' })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(kid ? { kid } : {}) })
        .setIssuer(email)
        .setSubject(email)
        .setAudience(uri)
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(key);
      const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
      return {
        method: 'POST',
        url: uri,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      };
    });
  });
}

function parseAccount(text: string): ServiceAccount {
  try {
    const account = JSON.parse(text) as ServiceAccount;
    const { protocol, hostname } = new URL(account.token_uri);
    const safe = protocol === 'https:' || hostname === '127.0.0.1' || hostname === 'localhost';
    if (safe && typeof account.client_email === 'string' && typeof account.private_key === 'string') return account;
  } catch {
    // Told below, without a word of what stands in it.
  }
  throw providerDown('gcp-kms', 'the credentials file is not the key of a service account');
}

/** The token of the machine's own service account. */
export function metadataToken(base: string, service: Service): TokenSource {
  const url = `${base.replace(/\/+$/, '')}/computeMetadata/v1/instance/service-accounts/default/token`;
  return kept('gcp-kms', () => service.ask(() => ({ method: 'GET', url, headers: { 'metadata-flavor': 'Google' } })));
}
