// An S3-compatible object store: SigV4 by aws4fetch, path-style addresses, one request at a time a call. Content is hashed into the
// signature and sent with its MD5, which Object Lock demands; nothing is taken as done without the store's 200.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { ObjectFault, type ObjectStore, type PutOptions, type Retention, type Version } from './object-store.ts';
import { faultOf, garbled, parseVersions, textOf } from './s3-answers.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Options {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Put before every key; empty, or ends with a slash. */
  readonly prefix: string;
  credentials(): Promise<Credentials>;
  readonly fetch?: typeof globalThis.fetch;
  /** Longest time in milliseconds for one small request; what carries content gets more, by its size. */
  readonly requestMs?: number;
  readonly now?: () => number;
}

interface Ask {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Whole key; empty for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: Headers;
  /** To be taken to its end. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Answers that are read whole; an object larger than this is read as it comes. */
const answerLimit = 80 * 1024 * 1024;
/** The slowest line that is waited for. */
const bytesPerMs = 200;
const tries = 3;
const pauseMs = 100;
const nothing = sha256(new Uint8Array());

export function openS3(options: S3Options): ObjectStore {
  const { bucket, prefix, now = Date.now, requestMs = 5_000 } = options;
  const fetcher = options.fetch ?? globalThis.fetch;
  const base = `${options.endpoint.replace(/\/$/, '')}/${bucket}`;
  const signingKeys = new Map<string, ArrayBuffer>();

  async function once({ method, key, query, headers, body }: Ask): Promise<Answer> {
    const url = new URL(key === '' ? base : `${base}/${encodeURI(key)}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const signed = await new AwsV4Signer({
      method,
      url: url.toString(),
      headers: { ...headers, 'x-amz-content-sha256': body ? sha256(body) : nothing },
      ...(body ? { body } : {}),
      ...(await options.credentials()),
      service: 's3',
      region: options.region,
      cache: signingKeys,
      datetime: new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    }).sign();
    if (signingKeys.size > 100) signingKeys.clear();
    const patience = requestMs + Math.ceil((body?.length ?? 0) / bytesPerMs);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new DOMException('', 'TimeoutError')), patience);
    try {
      const response = await fetcher(signed.url, {
        method,
        headers: signed.headers,
        redirect: 'error',
        signal: silence.signal,
        ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
      });
      const { ok, status, headers: found } = response;
      return { ok, status, headers: found, body: pieces(response, timer, patience) };
    } catch (cause) {
      clearTimeout(timer);
      throw unanswered(cause, patience);
    }
  }

  /** Asks, and again after what may pass by itself: everything we ask can be asked twice. A silence is not asked again. */
  async function ask(what: Ask): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await once(what);
        if (answer.ok) return answer;
        throw faultOf(answer.status, await text(answer), bucket);
      } catch (error) {
        const passing = error instanceof ObjectFault && (error.kind === 'failing' || error.kind === 'unreachable');
        if (!passing || attempt === tries) throw error;
        await sleep(pauseMs * attempt);
      }
    }
  }

  const asked = async (what: Ask): Promise<string> => text(await ask(what));

  /** A document that S3 demands an MD5 of. */
  const send = (method: 'PUT' | 'POST', key: string, query: Record<string, string>, xml: string, extra = {}) => {
    const body = Buffer.from(xml);
    return asked({ method, key, query, body, headers: { 'content-md5': md5(body), ...extra } });
  };

  const lockHeaders = ({ retainUntil, onlyNew }: PutOptions): Record<string, string> => ({
    ...(onlyNew ? { 'if-none-match': '*' } : {}),
    ...(retainUntil === undefined
      ? {}
      : {
          'x-amz-object-lock-mode': 'COMPLIANCE',
          'x-amz-object-lock-retain-until-date': new Date(retainUntil).toISOString(),
        }),
  });

  async function put(key: string, bytes: Uint8Array, put: PutOptions = {}): Promise<string> {
    const headers = { 'content-md5': md5(bytes), ...lockHeaders(put) };
    const answer = await ask({ method: 'PUT', key: prefix + key, body: bytes, headers });
    await content(answer);
    return answer.headers.get('x-amz-version-id') ?? '';
  }

  async function putPieces(key: string, pieces: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<string> {
    const { onlyNew, ...locked } = options;
    const whole = prefix + key;
    const begun = await asked({ method: 'POST', key: whole, query: { uploads: '' }, headers: lockHeaders(locked) });
    const uploadId = textOf(begun, 'UploadId');
    if (uploadId === undefined) throw garbled('an upload without a name');
    try {
      let number = 0;
      let list = '';
      for await (const body of pieces) {
        const query = { partNumber: String(++number), uploadId };
        const answer = await ask({ method: 'PUT', key: whole, query, body, headers: { 'content-md5': md5(body) } });
        await content(answer);
        const etag = answer.headers.get('etag')?.replaceAll('"', '') ?? '';
        if (!/^[\w-]{1,100}$/.test(etag)) throw garbled('a piece without a name');
        list += `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`;
      }
      const end = Buffer.from(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`);
      const answer = await ask({
        method: 'POST',
        key: whole,
        query: { uploadId },
        body: end,
        headers: lockHeaders({ onlyNew }),
      });
      // This answer begins before the work is done: a failure may stand in the body of a 200.
      const xml = await text(answer);
      if (!xml.includes('CompleteMultipartUploadResult')) throw faultOf(500, xml, bucket);
      return answer.headers.get('x-amz-version-id') ?? '';
    } catch (error) {
      await ask({ method: 'DELETE', key: whole, query: { uploadId } }).catch(() => undefined);
      throw error;
    }
  }

  async function found(key: string, version?: string): Promise<Answer | undefined> {
    try {
      return await ask({ method: 'GET', key: prefix + key, ...(version ? { query: { versionId: version } } : {}) });
    } catch (error) {
      if (error instanceof ObjectFault && error.kind === 'missing' && error.code !== 'NoSuchBucket') return undefined;
      throw error;
    }
  }

  return {
    name: `s3://${bucket}/${prefix}`,
    put,
    putPieces,
    async get(key, version) {
      const answer = await found(key, version);
      return answer && (await content(answer));
    },
    async read(key, version) {
      return (await found(key, version))?.body;
    },
    async *versions(below, after) {
      let from = after === undefined ? undefined : { key: prefix + after, version: '' };
      for (;;) {
        const query: Record<string, string> = { versions: '', prefix: prefix + below, 'encoding-type': 'url' };
        if (from) query['key-marker'] = from.key;
        if (from?.version) query['version-id-marker'] = from.version;
        const page = parseVersions(await asked({ method: 'GET', key: '', query }));
        for (const version of page.versions) yield inside(version, prefix);
        if (!page.next) return;
        if (page.next.key === from?.key && page.next.version === from.version)
          throw garbled('a list that goes in circles');
        from = page.next;
      }
    },
    async settings() {
      const versioning = await asked({ method: 'GET', key: '', query: { versioning: '' } });
      const lock = await asked({ method: 'GET', key: '', query: { 'object-lock': '' } }).catch((error: unknown) => {
        // What a bucket without it answers, by the store: there is no such configuration, no such feature.
        const absent = ['ObjectLockConfigurationNotFoundError', 'NoSuchObjectLockConfiguration', 'NotImplemented'];
        if (error instanceof ObjectFault && absent.includes(error.code)) return '';
        // Ceph before 17 says this of a bucket that was made without.
        if (error instanceof ObjectFault && error.code === 'InvalidRequest') return '';
        throw error;
      });
      const mode = textOf(lock, 'Mode');
      const length = textOf(lock, 'Days') ?? textOf(lock, 'Years');
      return {
        versioning: textOf(versioning, 'Status') === 'Enabled',
        lock: textOf(lock, 'ObjectLockEnabled') === 'Enabled',
        ...(mode ? { defaultRetention: `${mode} ${length} ${textOf(lock, 'Days') ? 'days' : 'years'}` } : {}),
      };
    },
    async retention(key, version): Promise<Retention | undefined> {
      const query = { retention: '', versionId: version };
      const xml = await asked({ method: 'GET', key: prefix + key, query }).catch((error: unknown) => {
        if (error instanceof ObjectFault && /^NoSuchObjectLockConfiguration|^InvalidRequest/.test(error.code))
          return '';
        throw error;
      });
      const mode = textOf(xml, 'Mode');
      const until = Date.parse(textOf(xml, 'RetainUntilDate') ?? '');
      return (mode === 'COMPLIANCE' || mode === 'GOVERNANCE') && until ? { mode, until } : undefined;
    },
    async deleteVersion(key, version, bypass) {
      await asked({ method: 'DELETE', key: prefix + key, query: { versionId: version }, headers: bypassing(bypass) });
    },
    async setRetention(key, version, { mode, until }, bypass) {
      const date = new Date(until).toISOString();
      const xml = `<Retention><Mode>${mode}</Mode><RetainUntilDate>${date}</RetainUntilDate></Retention>`;
      await send('PUT', prefix + key, { retention: '', versionId: version }, xml, bypassing(bypass));
    },
  };
}

const bypassing = (bypass: boolean): Record<string, string> =>
  bypass ? { 'x-amz-bypass-governance-retention': 'true' } : {};

function inside(version: Version, prefix: string): Version {
  if (!version.key.startsWith(prefix)) throw garbled('a name outside of what was asked for');
  return { ...version, key: version.key.slice(prefix.length) };
}

async function text(answer: Answer): Promise<string> {
  return (await content(answer)).toString('utf8');
}

async function content(answer: Answer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for await (const piece of answer.body) {
    total += piece.length;
    if (total > answerLimit) throw garbled(`more than ${answerLimit} bytes`);
    parts.push(piece);
  }
  return Buffer.concat(parts);
}

/** Content as it comes, which must be as long as it was announced, and may not stop coming. */
async function* pieces(answer: Response, timer: NodeJS.Timeout, patience: number): AsyncGenerator<Uint8Array> {
  const announced = answer.headers.get('content-encoding') === null ? answer.headers.get('content-length') : null;
  let total = 0;
  try {
    if (answer.body)
      for await (const piece of answer.body) {
        timer.refresh();
        total += piece.length;
        yield piece;
      }
  } catch (cause) {
    throw unanswered(cause, patience);
  } finally {
    clearTimeout(timer);
  }
  if (announced !== null && answer.status !== 204 && total !== Number(announced))
    throw new ObjectFault('unreachable', 'Truncated', 'an answer of the object store was cut short');
}

function unanswered(cause: unknown, patience: number): ObjectFault {
  const { name, code, cause: inner } = cause as { name?: string; code?: string; cause?: { code?: string } };
  if (name === 'TimeoutError' || name === 'AbortError')
    return new ObjectFault('slow', 'Timeout', `the object store did not answer within ${patience} ms`, cause);
  const why = inner?.code ?? code ?? name ?? 'unknown';
  return new ObjectFault('unreachable', why, `the object store cannot be reached (${why})`, cause);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}
