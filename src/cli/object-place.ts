// `s3://bucket/prefix` on the command line: for whoever has no configuration, with the variables that other S3 tools read.
import type { ObjectStore } from '../objects/object-store.ts';
import { Exit, type Io } from './output.ts';

const form =
  /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/((?:[A-Za-z0-9][A-Za-z0-9._-]*\/)*[A-Za-z0-9][A-Za-z0-9._-]*\/?)?)?$/;

export function isObjectPlace(text: string): boolean {
  return text.startsWith('s3://');
}

/** The place, with credentials, region and endpoint of the environment. */
export async function openObjectPlace(place: string, io: Io): Promise<ObjectStore> {
  const found = form.exec(place);
  if (!found) throw new Exit(2, `${place} is not a place: write s3://bucket/prefix`);
  const { env } = io;
  const [accessKeyId, secretAccessKey, sessionToken] = [
    env['AWS_ACCESS_KEY_ID'],
    env['AWS_SECRET_ACCESS_KEY'],
    env['AWS_SESSION_TOKEN'],
  ];
  if (!accessKeyId || !secretAccessKey)
    throw new Exit(2, 'there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const { openS3 } = await import('../objects/s3.ts');
  const prefix = found[2] ?? '';
  return openS3({
    endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? `https://s3.${region}.amazonaws.com`,
    region,
    bucket: found[1]!,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    credentials: async () => ({ accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }),
    requestMs: 30_000,
  });
}

/** What an object store would not do, as the end of a command. */
export async function orExit<T>(asking: Promise<T>): Promise<T> {
  const { Conflict, ObjectFault } = await import('../objects/object-store.ts');
  return asking.catch((error: unknown) => {
    if (error instanceof ObjectFault) throw new Exit(3, error.message);
    if (error instanceof Conflict) throw new Exit(1, error.message);
    throw error;
  });
}
