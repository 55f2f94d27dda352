// What the object store and the ack levels demand of each other.
import type { Settings } from './schema.ts';

interface Broken {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export function objectsRules({ ledger, targets }: Settings, isLoopback: (host: string) => boolean): Broken[] {
  const broken: Broken[] = [];
  const { objects } = ledger;
  if (objects) {
    const { protocol, hostname } = new URL(objects.endpoint);
    if (protocol === 'http:' && !isLoopback(hostname))
      broken.push({ path: ['ledger', 'objects', 'endpoint'], message: 'use https: the way there is not this machine' });
    return broken;
  }
  for (const [index, { ack }] of targets.entries())
    for (const kind of ['read', 'write'] as const)
      if (ack[kind] === 'replicated')
        broken.push({
          path: ['targets', index, 'ack', kind],
          message: 'there is no second place for the record: add ledger.objects, or write synced',
        });
  return broken;
}
