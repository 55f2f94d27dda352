// What each ack level adds to a decision: time from append to durable, alone and with 64 that wait at once. The object stores are on this
// machine: a double that answers after 20 ms as one in the same region does, and Ceph's gateway where it is installed.
import { existsSync } from 'node:fs';
import type { AckLevel } from '../src/domain/target.ts';
import { openLedger } from '../src/ledger/ledger.ts';
import { openS3 } from '../src/objects/s3.ts';
import { ledgerPlace } from '../test/peers/ledger.ts';
import { testObjects } from '../test/peers/objects.ts';
import { objectsDouble } from '../test/peers/objects-double.ts';
import { openSecondPlace, type SecondPlace } from '../test/peers/second-place.ts';

const draft = {
  type: 'statement.decision',
  facts: { a: 'x', d: 'permit', e: ['sql:insert'], k: 'execute', p: '0123456789abcdef', r: ['base'] },
  payload: { what: { text: 'insert into orders (id, note) values (1, $1)', parameters: ['some note'] } },
} as const;

async function measure(name: string, { ledger }: Pick<SecondPlace, 'ledger'>, level: AckLevel): Promise<void> {
  for (const waiting of [1, 64]) {
    const took: number[] = [];
    const end = performance.now() + 4_000;
    const one = async () => {
      while (performance.now() < end) {
        const before = performance.now();
        // No session: what is measured is the append.
        await ledger.append({ ...draft, type: 'heartbeat' }, level).durable;
        took.push(performance.now() - before);
      }
    };
    const began = performance.now();
    await Promise.all(Array.from({ length: waiting }, one));
    const rate = took.length / ((performance.now() - began) / 1_000);
    took.sort((a, b) => a - b);
    const at = (q: number) => took[Math.floor(took.length * q)]!.toFixed(2).padStart(8);
    console.log(
      `${name.padEnd(34)} ${String(waiting).padStart(3)} ${at(0.5)} ${at(0.99)} ${Math.round(rate).toString().padStart(8)}`,
    );
  }
}

const options = { periodMs: 1_000, segmentEntries: 65_536 };
console.log(`${'level'.padEnd(34)}   n   p50 ms   p99 ms   rate/s`);
const plain = await ledgerPlace(options);
const { ledger } = await openLedger(plain);
for (const level of ['written', 'synced'] as const) await measure(level, { ledger }, level);
await ledger.close();
plain.remove();

for (const conditional of [true, false]) {
  const double = await objectsDouble({ latencyMs: 20, conditional });
  const credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
  const place = await ledgerPlace(options);
  const store = openS3({ endpoint: double.endpoint, region: 'x', bucket: double.bucket, prefix: '', credentials });
  const of = await openSecondPlace(place, store, 10_000);
  await measure(`replicated, 20 ms, ${conditional ? 'conditional' : 'read back'}`, of, 'replicated');
  await of.close();
  await double.stop();
  place.remove();
}

if (existsSync('/usr/bin/radosgw')) {
  const peer = await testObjects();
  await peer.makeBucket('bench', 'locked');
  const { endpoint, region } = peer;
  const place = await ledgerPlace(options);
  const of = await openSecondPlace(
    place,
    openS3({ endpoint, region, bucket: 'bench', prefix: '', credentials: async () => peer }),
    10_000,
  );
  await measure('replicated, Ceph, locked', of, 'replicated');
  await of.close();
  await peer.stop();
  place.remove();
}
