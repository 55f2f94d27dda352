// Key services as their API documentation describes them, for tests: Vault's transit engine, AWS KMS, Google Cloud KMS with its
// token endpoint and metadata server. Each checks what it is sent as the real one would, and encrypts for real.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, exportJWK, jwtVerify } from 'jose';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface KeyService {
  readonly url: string;
  readonly received: Received[];
  /** Until it is taken back: answer with this status and body instead, or never. */
  failing: { readonly status: number; readonly body: string } | 'silent' | undefined;
  close(): Promise<void>;
}

type Answer = { readonly status: number; readonly body: unknown };
type Tls = { readonly cert: string | Buffer; readonly key: string | Buffer };

async function serve(answer: (request: Received) => Answer | Promise<Answer>, tls?: Tls): Promise<KeyService> {
  const listen = (request: http.IncomingMessage, response: http.ServerResponse) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => void reply(request, Buffer.concat(parts).toString('utf8'), response));
  };
  async function reply(request: http.IncomingMessage, body: string, response: http.ServerResponse): Promise<void> {
    const received = { method: request.method!, path: request.url!, headers: request.headers, body };
    of.received.push(received);
    if (of.failing === 'silent') return;
    const found = of.failing ?? (await answer(received));
    response.writeHead(found.status, { 'content-type': 'application/json' });
    response.end(typeof found.body === 'string' ? found.body : JSON.stringify(found.body));
  }
  const server = tls ? https.createServer(tls, listen) : http.createServer(listen);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const of: KeyService = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    received: [],
    failing: undefined,
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return of;
}

function seal(key: Buffer, plain: Buffer, aad = ''): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, sealed: Buffer, aad = ''): Buffer | undefined {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.from(aad));
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

export interface VaultDouble extends KeyService {
  sealed: boolean;
  /** vault write -f transit/keys/<key>/rotate */
  rotate(): void;
  /** Oldest version that still decrypts. */
  minDecryptionVersion: number;
}

/** The transit engine under one mount and namespace, one key, one token (developer.hashicorp.com/vault/api-docs/secret/transit). */
export async function startVault(
  of: { mount?: string; key?: string; token?: string; namespace?: string; tls?: Tls } = {},
): Promise<VaultDouble> {
  const { mount = 'transit', key = 'countersign', token = 'hvs.test-token', namespace = '' } = of;
  const versions = [randomBytes(32)];
  const errors = (status: number, ...words: string[]): Answer => ({ status, body: { errors: words } });

  function item(what: string, one: Record<string, unknown>): Record<string, unknown> {
    if (what === 'encrypt') {
      if (typeof one.plaintext !== 'string') return { error: 'missing plaintext to encrypt' };
      const sealed = seal(versions.at(-1)!, Buffer.from(one.plaintext, 'base64'));
      return { ciphertext: `vault:v${versions.length}:${sealed.toString('base64')}`, key_version: versions.length };
    }
    const found = /^vault:v(\d+):(.+)$/.exec(String(one.ciphertext));
    if (!found) return { error: 'invalid ciphertext: no prefix' };
    const version = Number(found[1]);
    if (version > versions.length) return { error: 'invalid ciphertext: version is too new' };
    if (version < vault.minDecryptionVersion)
      return { error: 'ciphertext or signature version is disallowed by policy (too old)' };
    const plain = open(versions[version - 1]!, Buffer.from(found[2]!, 'base64'));
    return plain ? { plaintext: plain.toString('base64') } : { error: 'cipher: message authentication failed' };
  }

  const service = await serve(({ method, path, headers, body }) => {
    if (vault.sealed) return errors(503, 'Vault is sealed');
    if ((headers['x-vault-namespace'] ?? '') !== namespace || headers['x-vault-token'] !== token)
      return errors(403, 'permission denied');
    const found = new RegExp(`^/v1/${mount}/(encrypt|decrypt)/([^/]+)$`).exec(path);
    if (!found) return errors(404, `no handler for route "${path}"`);
    if (method !== 'POST') return errors(405, 'unsupported operation');
    if (found[2] !== key) return errors(400, 'encryption key not found');
    const { batch_input: batch } = JSON.parse(body) as { batch_input?: Record<string, unknown>[] };
    if (!batch || batch.length === 0) return errors(400, 'missing batch input to process');
    const results = batch.map((one) => item(found[1]!, one));
    const status = results.some((one) => one.error !== undefined) ? 400 : 200;
    return {
      status,
      body: { request_id: 'r', lease_id: '', renewable: false, lease_duration: 0, data: { batch_results: results } },
    };
  }, of.tls);
  const vault: VaultDouble = Object.assign(service, {
    sealed: false,
    minDecryptionVersion: 1,
    rotate: () => void versions.push(randomBytes(32)),
  });
  return vault;
}

/** AWS KMS: JSON 1.1 over POST, every signature computed again by the rules of Signature Version 4. */
export async function startAwsKms(of: {
  region: string;
  key: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}): Promise<KeyService> {
  const master = randomBytes(32);
  const refuse = (type: string): Answer => ({ status: 400, body: { __type: type, message: 'no' } });
  const contextOf = (given: unknown) =>
    JSON.stringify(Object.entries((given ?? {}) as object).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return serve((request) => {
    const wrong = wrongSignature(request, of);
    if (wrong) return refuse(wrong);
    const parameters = JSON.parse(request.body) as Record<string, unknown>;
    if (parameters.KeyId !== of.key) return refuse('NotFoundException');
    const aad = contextOf(parameters.EncryptionContext);
    const KeyId = `arn:aws:kms:${of.region}:111122223333:key/${of.key}`;
    const EncryptionAlgorithm = 'SYMMETRIC_DEFAULT';
    switch (request.headers['x-amz-target']) {
      case 'TrentService.Encrypt': {
        const sealed = seal(master, Buffer.from(String(parameters.Plaintext), 'base64'), aad);
        return { status: 200, body: { CiphertextBlob: sealed.toString('base64'), KeyId, EncryptionAlgorithm } };
      }
      case 'TrentService.Decrypt': {
        const plain = open(master, Buffer.from(String(parameters.CiphertextBlob), 'base64'), aad);
        if (!plain) return refuse('InvalidCiphertextException');
        return { status: 200, body: { Plaintext: plain.toString('base64'), KeyId, EncryptionAlgorithm } };
      }
      default:
        return refuse('UnknownOperationException');
    }
  });
}

/** docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, from the request as it arrived. */
function wrongSignature(
  { method, path, headers, body }: Received,
  of: { region: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string },
): string | undefined {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/kms\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (!found) return 'MissingAuthenticationTokenException';
  const [, id, day, region, names, signature] = found as unknown as [string, string, string, string, string, string];
  if (id !== of.accessKeyId) return 'UnrecognizedClientException';
  if (region !== of.region) return 'InvalidSignatureException';
  if ((headers['x-amz-security-token'] ?? undefined) !== of.sessionToken) return 'InvalidClientTokenId';
  const signed = names.split(';');
  for (const needed of ['host', 'x-amz-date', 'x-amz-target', ...(of.sessionToken ? ['x-amz-security-token'] : [])])
    if (!signed.includes(needed)) return 'IncompleteSignatureException';
  const date = String(headers['x-amz-date']);
  if (!date.startsWith(day)) return 'InvalidSignatureException';
  const age = Math.abs(
    Date.now() - Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')),
  );
  if (!(age < 300_000)) return 'SignatureDoesNotMatch';
  const canonical = [
    method,
    path,
    '',
    ...signed.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, `${day}/${region}/kms/aws4_request`, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${of.secretAccessKey}`, day), region), 'kms'), 'aws4_request');
  return hmac(key, text).toString('hex') === signature ? undefined : 'InvalidSignatureException';
}

export interface GcpDouble extends KeyService {
  /** Text of the credentials file of its service account. */
  readonly credentials: string;
  /** What its tokens may be used for, counted. */
  readonly tokens: { byAccount: number; byMachine: number };
}

/** Cloud KMS, the token endpoint that checks a service account's JWT, and the metadata server, on one address. */
export async function startGcp(of: { key: string }): Promise<GcpDouble> {
  const master = randomBytes(32);
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const email = 'gateway@test.iam.gserviceaccount.com';
  const jwks = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] });
  const issued = new Set<string>();
  const tokens = { byAccount: 0, byMachine: 0 };
  const refuse = (status: number, state: string): Answer => ({
    status,
    body: { error: { code: status, status: state } },
  });
  const issue = (): Answer => {
    const token = `ya29.${randomBytes(12).toString('base64url')}`;
    issued.add(token);
    return { status: 200, body: { access_token: token, expires_in: 3_600, token_type: 'Bearer' } };
  };
  const service = await serve(async ({ method, path, headers, body }) => {
    if (path === '/computeMetadata/v1/instance/service-accounts/default/token') {
      if (method !== 'GET' || headers['metadata-flavor'] !== 'Google') return refuse(403, 'PERMISSION_DENIED');
      tokens.byMachine++;
      return issue();
    }
    if (path === '/token') {
      const form = new URLSearchParams(body);
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
        return refuse(400, 'INVALID_ARGUMENT');
      const audience = `${service.url}/token`;
      const verified = await jwtVerify(form.get('assertion') ?? '', jwks, {
        issuer: email,
        audience,
        maxTokenAge: '1h',
      }).catch(() => undefined);
      if (verified?.payload.scope !== 'https://www.googleapis.com/auth/cloudkms') return refuse(401, 'UNAUTHENTICATED');
      tokens.byAccount++;
      return issue();
    }
    if (!issued.has((headers.authorization ?? '').replace(/^Bearer /, ''))) return refuse(401, 'UNAUTHENTICATED');
    const parameters = JSON.parse(body) as Record<string, string>;
    const aad = parameters.additionalAuthenticatedData ?? '';
    if (path === `/v1/${of.key}:encrypt`) {
      const sealed = seal(master, Buffer.from(parameters.plaintext!, 'base64'), aad);
      return { status: 200, body: { name: `${of.key}/cryptoKeyVersions/1`, ciphertext: sealed.toString('base64') } };
    }
    if (path === `/v1/${of.key}:decrypt`) {
      const plain = open(master, Buffer.from(parameters.ciphertext!, 'base64'), aad);
      return plain ? { status: 200, body: { plaintext: plain.toString('base64') } } : refuse(400, 'INVALID_ARGUMENT');
    }
    return refuse(404, 'NOT_FOUND');
  });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const account = { type: 'service_account', client_email: email, private_key_id: 'k1', private_key: pem };
  return Object.assign(service, {
    credentials: JSON.stringify({ ...account, token_uri: `${service.url}/token` }),
    tokens,
  });
}
