// Run as a child by rotation.test.ts: rotates the log below a folder and kills itself before a step.
import { join } from 'node:path';
import { rotateLedger } from '../../src/ledger/rotation.ts';

const [root, at] = process.argv.slice(2) as [string, string];
await rotateLedger({
  folder: join(root, 'ledger'),
  state: join(root, 'state'),
  gateway: 'gw-a',
  periodMs: 10,
  segmentEntries: 150,
  origin: 'example.test/log/2',
  reason: 'compromised',
  next: { folder: join(root, 'ledger-2'), signing: join(root, 'state', 'log-2') },
  recordEnds: async () => undefined,
  step(name) {
    if (name === at) process.kill(process.pid, 'SIGKILL');
  },
});
