// Run as a child by exports.test.ts: appends under load and exports what is signed, until it is killed.
import { openExports } from '../../src/exports/exports.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { recordOrphans } from '../../src/session/gateway.ts';

const [folder, state, file, mode] = process.argv.slice(2) as [string, string, string, string];
const { ledger, orphans } = await openLedger({ folder, state, gateway: 'gw-a', periodMs: 15, segmentEntries: 700 });
await recordOrphans(ledger, orphans);
const exports = openExports({
  logs: [{ folder, origin: ledger.origin }],
  state,
  version: '0',
  append: ledger.append,
  told: (_, error) => {
    if (error !== undefined) throw new Error(error);
  },
  sinks: [
    {
      name: 'archive',
      to: 'file',
      output: { file },
      sync: false,
      types: [],
      targets: [],
      statements: 'recorded',
      from: 'beginning',
      batch: 10,
      timeoutSeconds: 5,
      receiptSeconds: 1,
    },
  ],
});
if (mode === 'finish') {
  await ledger.checkpointNow();
  await exports.close();
  await ledger.close();
} else {
  process.stdout.write('started\n');
  const key = ledger.newKey();
  const session = `s-${ledger.boot}`;
  ledger.append({ type: 'session.open', session, facts: { target: 'shop' }, payload: { who: {} } }, 'written', key);
  for (let sequence = 1; ; sequence++) {
    const payload = { what: { text: `select ${sequence}` } };
    const facts = { d: 'permit', e: ['sql:read'], k: 'execute', r: [] };
    await ledger.append({ type: 'statement.decision', session, sequence, facts, payload }, 'written', key).durable;
    ledger.append({ type: 'statement.outcome', session, sequence, facts: { status: 'done', rows: 1 } }, 'written');
    if (sequence % 20 === 0) await new Promise((done) => setTimeout(done, 5));
  }
}
