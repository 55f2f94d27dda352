// The few answers of S3 that we read. Not an XML parser: these documents have a fixed form without attributes that matter, and
// a form that is not recognised is a fault, never a guess.
import { ObjectFault, type Version } from './object-store.ts';

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text between the first `<name>` and its end, entities resolved; undefined when there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}(?: [^<>]*)?>([^<]*)</${name}>`).exec(xml)?.[1];
  return found?.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/g, (_, hex, decimal, name) =>
    name ? named[name]! : String.fromCodePoint(Number.parseInt(hex ?? decimal, hex ? 16 : 10)),
  );
}

export interface VersionPage {
  readonly versions: readonly Version[];
  /** Where the next page begins. */
  readonly next?: { readonly key: string; readonly version: string };
}

/** A page of ListObjectVersions, asked for with `encoding-type=url`. */
export function parseVersions(xml: string): VersionPage {
  if (!/<ListVersionsResult[ >]/.test(xml) || !xml.includes('</ListVersionsResult>'))
    throw garbled('no list of versions');
  const versions: Version[] = [];
  for (const [, kind, body] of xml.matchAll(/<(Version|DeleteMarker)>(.*?)<\/\1>/gs)) {
    const key = textOf(body!, 'Key');
    const version = textOf(body!, 'VersionId');
    const size = Number(textOf(body!, 'Size') ?? 0);
    if (key === undefined || version === undefined || !Number.isSafeInteger(size))
      throw garbled('a version without a name');
    versions.push({
      key: decodeKey(key),
      version,
      size,
      etag: (textOf(body!, 'ETag') ?? '').replaceAll('"', ''),
      modified: Date.parse(textOf(body!, 'LastModified') ?? '') || 0,
      latest: textOf(body!, 'IsLatest') === 'true',
      marker: kind === 'DeleteMarker',
    });
  }
  if (textOf(xml, 'IsTruncated') !== 'true') return { versions };
  const key = textOf(xml, 'NextKeyMarker');
  if (key === undefined) throw garbled('a list that ends without an end');
  return { versions, next: { key: decodeKey(key), version: textOf(xml, 'NextVersionIdMarker') ?? '' } };
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw garbled('a name that is not encoded', cause);
  }
}

export function garbled(what: string, cause?: unknown): ObjectFault {
  return new ObjectFault('garbled', 'Garbled', `the object store answers what S3 does not: ${what}`, cause);
}

/** An answer that is not a success, as a fault in words for the operator. */
export function faultOf(status: number, body: string, bucket: string): ObjectFault {
  const code = textOf(body, 'Code') ?? String(status);
  if (status === 412 || (status === 409 && code === 'ConditionalRequestConflict'))
    return new ObjectFault('exists', code, 'there is such an object already');
  if (code === 'RequestTimeTooSkewed')
    return new ObjectFault(
      'refused',
      code,
      'the clock of this machine and that of the object store differ: set it right',
    );
  if (code === 'NoSuchBucket') return new ObjectFault('missing', code, `there is no bucket ${bucket}`);
  if (status === 404) return new ObjectFault('missing', code, 'there is no such object');
  if (code === 'SignatureDoesNotMatch' || code === 'InvalidAccessKeyId' || code === 'ExpiredToken')
    return new ObjectFault('refused', code, `the object store does not accept the credentials (${code}): check them`);
  if (status === 401 || status === 403)
    return new ObjectFault(
      'refused',
      code,
      `the object store forbids it (${code}): check the rights of the credentials`,
    );
  if (status === 429 || status === 503)
    return new ObjectFault('failing', code, `the object store asks to wait (${status} ${code})`);
  if (status >= 500) return new ObjectFault('failing', code, `the object store fails (${status} ${code})`);
  return new ObjectFault('refused', code, `the object store refuses (${status} ${code})`);
}
