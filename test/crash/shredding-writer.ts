// A process that shreds as fast as it can, to be killed: sessions are opened, sealed and shredded until somebody ends it.
import { fileKeyProvider } from '../../src/ledger/master-key.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { rewrapKeys } from '../../src/ledger/keys-rewrapping.ts';
import { shredKeys } from '../../src/ledger/shred.ts';

const [folder, state] = process.argv.slice(2) as [string, string];
const provider = fileKeyProvider(state);
const { ledger } = await openLedger({ folder, state, gateway: 'gw', provider });
process.stdout.write('ready\n');
for (let round = 0; ; round++) {
  const keys: string[] = [];
  for (let n = 0; n < 20; n++) {
    const key = ledger.newKey();
    const session = `${ledger.boot}-${round}-${n}`;
    ledger.append({ type: 'session.open', session, facts: {}, payload: { who: { name: 'Ada' } } }, 'written', key);
    await ledger.append({ type: 'session.seal', session, facts: { n: 0 } }, 'written', key).durable;
    if (n % 2 === 0) keys.push(key.id);
  }
  const facts = { rule: 'short', sessions: keys.length, from: 1, to: 2, recordings: 'kept', by: 'schedule' } as const;
  await shredKeys(ledger, state, { ...facts, keys });
  if (round % 3 === 2) await rewrapKeys({ ledger, state, provider, fresh: true, who: { by: 'test' } });
}
