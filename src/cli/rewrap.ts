// countersign ledger rewrap: moves wrapped keys to the provider that wraps now. Over the API: the gateway is the one that writes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { KeysStatus } from '../api/contract.ts';
import { type ApiChoice, openClient, takesApi } from './api-client.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

interface Choice extends ApiChoice {
  readonly all?: boolean;
  readonly newMasterKey?: boolean;
  readonly json?: boolean;
}

const pause = 500;

export function registerRewrap(ledger: Command, io: Io): void {
  const rewrap = takesApi(ledger.command('rewrap'))
    .description(
      'wrap the keys of payloads and recordings by the provider that is configured now; needs an admin group',
    )
    .option('--all', 'also keys that it wrapped already: after a key service rotated its key')
    .option('--new-master-key', 'make a new master.key first, and remove the old one in the end')
    .option('--json', 'print JSON')
    .action(async (choice: Choice) => {
      const client = openClient(choice, io);
      const wish = { all: choice.all ?? false, fresh: choice.newMasterKey ?? false };
      let found = await client.post<KeysStatus>('/api/keys/rewrap', wish);
      while (found.state === 'running') {
        await sleep(pause);
        found = await client.get<KeysStatus>('/api/keys');
        if (io.stderr.isTTY && found.of) io.stderr.write(`\r${found.keys} of ${found.of} keys `);
      }
      if (io.stderr.isTTY) io.stderr.write('\r\u001b[K');
      if (choice.json) printJson(io, found);
      else if (found.state === 'done') printLine(io, `${found.keys} keys are wrapped by ${found.to} now`);
      if (found.state !== 'done' || found.failed) {
        const failed = found.failed ? `${found.failed} keys do not open, the first: ` : '';
        throw new Exit(1, `${failed}${found.why ?? 'it did not end'}`);
      }
    });
  examples(rewrap, [
    ['After ledger.keys.provider changed and the gateway was restarted', 'countersign ledger rewrap'],
    ['A new master key', 'countersign ledger rewrap --new-master-key'],
    ['After Vault rotated its key', 'countersign ledger rewrap --all'],
  ]);
}
