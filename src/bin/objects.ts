// The object store that the configuration names, checked before anything is trusted to it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Config, dataPaths } from '../config/config.ts';
import { Fault } from '../domain/fault.ts';
import { parseVkey } from '../ledger/note.ts';
import { Conflict, ObjectFault, type ObjectStore } from '../objects/object-store.ts';
import { type ObjectReplica, openObjectReplica } from '../objects/object-replica.ts';
import { openS3 } from '../objects/s3.ts';
import { secret } from '../targets/secret.ts';

type Objects = NonNullable<Config['ledger']['objects']>;
type Keys = Pick<Objects, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;

/** The place of one log of a gateway, by its number. Credentials are read for each request, so that new ones need no restart. */
export function storeOf(objects: Objects, log: number, keys: Keys = objects): ObjectStore {
  const { endpoint, region, bucket, prefix } = objects;
  return openS3({
    endpoint,
    region,
    bucket,
    // A log that continues another is a log of its own, and so is its place.
    prefix: log === 1 ? prefix : `${prefix}log-${log}/`,
    credentials: async () => ({
      accessKeyId: await secret(keys.accessKeyId),
      secretAccessKey: await secret(keys.secretAccessKey),
      ...(keys.sessionToken ? { sessionToken: await secret(keys.sessionToken) } : {}),
    }),
  });
}

/**
 * Opens it as the second place of the record. Rejects with what is wrong with it; one that only does not answer is waited for while
 * the gateway runs, and what demands it is refused meanwhile.
 */
export async function openObjects(
  config: Config,
  log: Logger,
  conflict: (fault: Fault) => void,
): Promise<ObjectReplica | undefined> {
  const { objects } = config.ledger;
  const { earlier, ledger: folder, recordings, signing } = dataPaths(config);
  const vkey = join(signing, 'ledger.vkey');
  // Without a ledger the start fails anyway, and says so better.
  if (!objects || !existsSync(vkey)) return undefined;
  const number = earlier.length + 1;
  const store = storeOf(objects, number);
  const replica = openObjectReplica({
    store,
    ...(objects.probeWith ? { probing: storeOf(objects, number, objects.probeWith) } : {}),
    folder,
    recordings,
    vkey: parseVkey(readFileSync(vkey, 'utf8').trim()),
    ...(objects.lock ? { lock: { days: objects.lock.days } } : {}),
    waitMs: objects.waitSeconds * 1_000,
    checkpointMs: objects.checkpointSeconds * 1_000,
    probeMs: objects.probeSeconds * 1_000,
    now: Date.now,
    tell: {
      up: () => log.info({ store: store.name }, 'the object store takes the record again'),
      down: (why) => log.error({ store: store.name }, `the object store does not take the record: ${why.message}`),
      roundFailed: (why) => log.warn({ store: store.name }, `not everything could be copied: ${why.message}`),
      missing: (sessions) => log.error({ sessions }, 'recordings are missing here and cannot be copied'),
      notDenied: (attempts) =>
        log.error(
          { store: store.name, attempts },
          'ALARM: what lies in the object store may not be safe from deletion',
        ),
      conflict,
    },
  });
  try {
    await replica.attach();
  } catch (error) {
    if (error instanceof ObjectFault && passing.has(error.kind)) {
      log.error({ store: store.name }, `the object store does not take the record: ${error.message}`);
      return replica;
    }
    await replica.close(0);
    if (error instanceof Conflict || error instanceof ObjectFault)
      throw new Fault('ledger.unavailable', `ledger.objects: ${error.message}`, error);
    throw error;
  }
  return replica;
}

const passing: ReadonlySet<ObjectFault['kind']> = new Set(['unreachable', 'slow', 'failing']);
