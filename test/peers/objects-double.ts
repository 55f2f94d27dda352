// A small object store in this process, for what a real one does not do on demand: latency, failures of each kind, conditional writes,
// buckets that lose their lock. It keeps to S3's documents where our code looks, and checks the content that was signed, but not the
// signature itself: that is the real peer's (objects.ts).
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Stored {
  readonly version: string;
  readonly bytes: Buffer;
  readonly marker: boolean;
  mode?: string;
  until?: number;
}

/** What happens to a request instead of an answer, or with it. */
export type Trouble =
  | { readonly status: number; readonly code: string }
  | 'reset'
  | 'hang'
  | 'truncate'
  /** It is done, and nobody is told. */
  | 'done-and-reset';

export interface Request {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

export interface ObjectsDouble {
  readonly endpoint: string;
  readonly bucket: string;
  /** May be changed at any time. */
  readonly is: {
    conditional: boolean;
    versioning: boolean;
    lock: boolean;
    /** Locks are taken and not kept. */
    lockLies: boolean;
    exists: boolean;
    latencyMs: number;
    /** ETags that are not the MD5 of the content, as with encryption by a key service. */
    strangeEtags: boolean;
    /** Whether a lock holds against a request; all of them unless a test says otherwise. */
    denies: (request: Request) => boolean;
  };
  trouble: ((request: Request) => Trouble | undefined) | undefined;
  /** Every request that was answered, as `METHOD key`. */
  readonly log: string[];
  /** Versions of a key, the oldest first. */
  stored(key: string): readonly Stored[];
  keys(): string[];
  /** What an intruder does behind the gateway's back. */
  put(key: string, bytes: Uint8Array): void;
  drop(key: string): void;
  empty(): void;
  stop(): Promise<void>;
  /** Stops listening; `back` listens at the same port again. */
  away(): Promise<void>;
  back(): Promise<void>;
}

export async function objectsDouble(of: Partial<ObjectsDouble['is']> = {}): Promise<ObjectsDouble> {
  const bucket = 'record';
  const is = {
    conditional: true,
    versioning: true,
    lock: true,
    lockLies: false,
    exists: true,
    latencyMs: 0,
    strangeEtags: false,
    denies: () => true,
    ...of,
  };
  const objects = new Map<string, Stored[]>();
  const uploads = new Map<string, { key: string; headers: IncomingMessage['headers']; parts: Map<number, Buffer> }>();
  const log: string[] = [];
  let counter = 0;
  let server: Server;
  let port = 0;

  const etagOf = (bytes: Buffer) =>
    is.strangeEtags
      ? createHash('md5').update('x').update(bytes).digest('hex')
      : createHash('md5').update(bytes).digest('hex');

  function store(key: string, bytes: Buffer, headers: IncomingMessage['headers'] = {}, marker = false): Stored {
    const mode = headers['x-amz-object-lock-mode'];
    const until = headers['x-amz-object-lock-retain-until-date'];
    const stored: Stored = { version: `v${String(++counter).padStart(6, '0')}`, bytes, marker };
    if (mode && until && !is.lockLies) {
      stored.mode = String(mode);
      stored.until = Date.parse(String(until));
    }
    objects.set(key, is.versioning ? [...(objects.get(key) ?? []), stored] : [stored]);
    return stored;
  }

  function answer(request: Request, headers: IncomingMessage['headers'], body: Buffer): Answer {
    const { method, key, query } = request;
    if (!is.exists) return failed(404, 'NoSuchBucket');
    const digest = headers['x-amz-content-sha256'];
    if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) return failed(403, 'AccessDenied');
    if (digest !== createHash('sha256').update(body).digest('hex')) return failed(400, 'XAmzContentSHA256Mismatch');
    const md5 = headers['content-md5'];
    if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) return failed(400, 'BadDigest');
    if (key === '') return bucketAnswer(query);
    if (query.has('uploads')) {
      uploads.set(`u${++counter}`, { key, headers, parts: new Map() });
      return xml(`<InitiateMultipartUploadResult><UploadId>u${counter}</UploadId></InitiateMultipartUploadResult>`);
    }
    const upload = uploads.get(query.get('uploadId') ?? '');
    if (upload) return uploadAnswer(upload, request, headers, body);
    const all = objects.get(key) ?? [];
    const wanted = query.get('versionId');
    const at = wanted === null ? all.at(-1) : all.find(({ version }) => version === wanted);
    if (query.has('retention')) return retentionAnswer(request, at, body);
    if (method === 'PUT') return putAnswer(key, all, headers, body);
    if (method === 'GET')
      return at && !at.marker
        ? { status: 200, headers: { etag: `"${etagOf(at.bytes)}"` }, body: at.bytes }
        : failed(404, 'NoSuchKey');
    if (wanted === null) {
      store(key, Buffer.alloc(0), {}, true);
      return { status: 204, headers: {}, body: Buffer.alloc(0) };
    }
    if (at?.until !== undefined && at.until > Date.now() && is.denies(request)) return failed(403, 'AccessDenied');
    objects.set(
      key,
      all.filter((one) => one !== at),
    );
    return { status: 204, headers: {}, body: Buffer.alloc(0) };
  }

  function putAnswer(key: string, all: Stored[], headers: IncomingMessage['headers'], body: Buffer): Answer {
    if (headers['if-none-match'] === '*' && is.conditional && all.at(-1)?.marker === false)
      return failed(412, 'PreconditionFailed');
    if (headers['x-amz-object-lock-mode'] && !is.lock) return failed(400, 'InvalidRequest');
    if (headers['x-amz-object-lock-mode'] && !headers['content-md5']) return failed(400, 'InvalidRequest');
    const stored = store(key, body, headers);
    return {
      status: 200,
      headers: { 'x-amz-version-id': stored.version, etag: `"${etagOf(body)}"` },
      body: Buffer.alloc(0),
    };
  }

  function uploadAnswer(
    upload: { key: string; headers: IncomingMessage['headers']; parts: Map<number, Buffer> },
    { method, query }: Request,
    headers: IncomingMessage['headers'],
    body: Buffer,
  ): Answer {
    if (method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body);
      return { status: 200, headers: { etag: `"${etagOf(body)}"` }, body: Buffer.alloc(0) };
    }
    uploads.delete(query.get('uploadId')!);
    if (method === 'DELETE') return { status: 204, headers: {}, body: Buffer.alloc(0) };
    const whole = Buffer.concat([...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part));
    const put = putAnswer(
      upload.key,
      objects.get(upload.key) ?? [],
      { ...upload.headers, ...headers, 'content-md5': 'x' },
      whole,
    );
    if (put.status !== 200) return put;
    return { ...xml('<CompleteMultipartUploadResult></CompleteMultipartUploadResult>'), headers: put.headers };
  }

  function retentionAnswer(request: Request, at: Stored | undefined, body: Buffer): Answer {
    if (!at) return failed(404, 'NoSuchKey');
    if (request.method === 'GET') {
      if (at.until === undefined) return failed(404, 'NoSuchObjectLockConfiguration');
      const date = new Date(at.until).toISOString();
      return xml(`<Retention><Mode>${at.mode}</Mode><RetainUntilDate>${date}</RetainUntilDate></Retention>`);
    }
    const mode = /<Mode>(.*)<\/Mode>/.exec(body.toString())?.[1];
    const until = Date.parse(/<RetainUntilDate>(.*)<\/RetainUntilDate>/.exec(body.toString())?.[1] ?? '');
    const weaker = at.until !== undefined && (until < at.until || mode !== at.mode);
    if (weaker && is.denies(request)) return failed(403, 'AccessDenied');
    at.mode = mode ?? 'COMPLIANCE';
    at.until = until;
    return xml('');
  }

  function bucketAnswer(query: URLSearchParams): Answer {
    if (query.has('versioning'))
      return xml(
        `<VersioningConfiguration>${is.versioning ? '<Status>Enabled</Status>' : ''}</VersioningConfiguration>`,
      );
    if (query.has('object-lock'))
      return is.lock
        ? xml('<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>')
        : failed(404, 'ObjectLockConfigurationNotFoundError');
    const prefix = query.get('prefix') ?? '';
    const after = { key: query.get('key-marker') ?? '', version: query.get('version-id-marker') ?? '' };
    const page = 7;
    const rows = [...objects.keys()]
      .sort()
      .filter((key) => key.startsWith(prefix))
      .flatMap((key) =>
        objects
          .get(key)!
          .toReversed()
          .map((one, at) => ({ key, one, latest: at === 0 })),
      );
    let from = 0;
    if (after.version) from = rows.findIndex(({ key, one }) => key === after.key && one.version === after.version) + 1;
    else if (after.key) from = (rows.findIndex(({ key }) => key > after.key) + rows.length + 1) % (rows.length + 1);
    const shown = rows.slice(from, from + page);
    const last = shown.at(-1);
    const more = from + page < rows.length && last;
    const body = shown.map(({ key, one, latest }) => {
      const kind = one.marker ? 'DeleteMarker' : 'Version';
      const content = one.marker ? '' : `<ETag>&quot;${etagOf(one.bytes)}&quot;</ETag><Size>${one.bytes.length}</Size>`;
      return `<${kind}><Key>${encodeURIComponent(key)}</Key><VersionId>${one.version}</VersionId><IsLatest>${latest}</IsLatest><LastModified>${new Date().toISOString()}</LastModified>${content}</${kind}>`;
    });
    const next = more
      ? `<IsTruncated>true</IsTruncated><NextKeyMarker>${encodeURIComponent(last.key)}</NextKeyMarker><NextVersionIdMarker>${last.one.version}</NextVersionIdMarker>`
      : '<IsTruncated>false</IsTruncated>';
    return xml(`<ListVersionsResult xmlns="x">${next}${body.join('')}</ListVersionsResult>`);
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url!, 'http://x');
    const [, first, ...rest] = decodeURIComponent(url.pathname).split('/');
    const request = { method: incoming.method!, key: rest.join('/'), query: url.searchParams };
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    if (is.latencyMs > 0) await new Promise((done) => setTimeout(done, is.latencyMs));
    const trouble = first === bucket ? double.trouble?.(request) : undefined;
    if (trouble === 'hang') return;
    if (trouble === 'reset') return void incoming.socket.destroy();
    const found =
      typeof trouble === 'object'
        ? failed(trouble.status, trouble.code)
        : answer(request, incoming.headers, Buffer.concat(parts));
    log.push(`${request.method} ${request.key}`);
    if (trouble === 'done-and-reset') return void incoming.socket.destroy();
    outgoing.writeHead(found.status, { ...found.headers, 'content-length': found.body.length });
    if (trouble === 'truncate') {
      outgoing.write(found.body.subarray(0, Math.floor(found.body.length / 2)));
      return void setTimeout(() => incoming.socket.destroy(), 10);
    }
    outgoing.end(found.body);
  }

  async function back(): Promise<void> {
    server = createServer(
      (incoming, outgoing) => void serve(incoming, outgoing).catch(() => incoming.socket.destroy()),
    );
    await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
    port = (server.address() as AddressInfo).port;
  }

  async function away(): Promise<void> {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }

  await back();
  const double: ObjectsDouble = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    is,
    trouble: undefined,
    log,
    stored: (key) => objects.get(key) ?? [],
    keys: () => [...objects.keys()].sort(),
    put: (key, bytes) => void store(key, Buffer.from(bytes)),
    drop: (key) => void objects.delete(key),
    empty: () => objects.clear(),
    stop: away,
    away,
    back,
  };
  return double;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const xml = (text: string): Answer => ({ status: 200, headers: {}, body: Buffer.from(`<?xml version="1.0"?>${text}`) });
const failed = (status: number, code: string): Answer => ({
  status,
  headers: {},
  body: Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`),
});
