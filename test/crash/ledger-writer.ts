// Run as a child by ledger.test.ts: appends under load until it is killed, and tells each index once it is durable.
import { writeSync } from 'node:fs';
import { openLedger } from '../../src/ledger/ledger.ts';

const [folder, state] = process.argv.slice(2) as [string, string];
const { ledger } = await openLedger({ folder, state, gateway: 'gw-a', periodMs: 15, segmentEntries: 700 });
const key = ledger.newKey();
const session = `s-${ledger.boot}`;
ledger.append({ type: 'session.open', session, facts: {}, payload: { who: {} } }, 'written', key);
for (let sequence = 1; ; sequence++) {
  const payload = { what: { text: `select ${sequence} ${'x'.repeat(sequence % 2000)}` } };
  const level = sequence % 50 === 0 ? 'synced' : 'written';
  const draft = { type: 'statement.decision', session, sequence, facts: { d: 'permit' }, payload } as const;
  const { index, durable } = ledger.append(draft, level, key);
  const told = durable.then(() => void writeSync(1, `${index}\n`));
  if (sequence % 8 === 0) await told;
}
