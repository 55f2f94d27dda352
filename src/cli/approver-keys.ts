// countersign approvals keys list | add | vouch | revoke: the keys that people sign votes with.
import type { Command } from 'commander';
import type { ApproverKeyRow, EnrolKey, KeyChallenge } from '../api/contract.ts';
import { type ApiChoice, openClient, segment, takesApi } from './api-client.ts';
import { type Cell, examples, Exit, type Io, printJson, printLine, printTable } from './output.ts';
import { moment } from './record-words.ts';
import { sshPublicKey, sshSign } from './ssh-keygen.ts';

type Choice = ApiChoice & { readonly json?: boolean };

/** What signatures that enrol a key are made for; the gateway takes no other (approvals/enrolment.ts). */
const enrolment = 'countersign-enrolment';

export function registerKeys(approvals: Command, io: Io): void {
  const keys = approvals.command('keys').description('keys that votes are signed with');

  const list = takesApi(keys.command('list'))
    .description('your keys; those of everybody for viewers and administrators')
    .option('--json', 'print JSON')
    .action(async (choice: Choice) => {
      const { items } = await openClient(choice, io).get<{ items: ApproverKeyRow[] }>('/api/approver-keys');
      if (choice.json) return printJson(io, items);
      await printTable(io, ['id', 'state', 'person', 'name', 'kind', 'fingerprint', 'enrolled'], items.map(row));
      if (items.length === 0 && io.stdout.isTTY)
        printLine(
          io,
          'No key is enrolled. Add an SSH key with "countersign approvals keys add", or a passkey in the console.',
        );
    });
  examples(list, [['Whose keys wait for somebody to vouch', 'countersign approvals keys list']]);

  const add = takesApi(keys.command('add <key>'))
    .description('enrol an SSH key of yours: ssh-keygen signs once to show that you hold it')
    .option('--name <name>', 'what you call it')
    .option('--json', 'print JSON')
    .action(async (file: string, choice: Choice & { name?: string }) => {
      const client = openClient(choice, io);
      const publicKey = sshPublicKey(file);
      const { challenge } = await client.post<KeyChallenge>('/api/approver-keys/challenge', {});
      const signature = sshSign(file, challenge, enrolment);
      const body: EnrolKey = { name: choice.name ?? file, challenge, proof: { ssh: { publicKey, signature } } };
      const added = await client.post<ApproverKeyRow>('/api/approver-keys', body);
      if (choice.json) return printJson(io, added);
      printLine(io, `enrolled ${added.id} ${added.fingerprint}`);
      printLine(
        io,
        added.state === 'counts'
          ? 'Votes that it signs count from now on.'
          : `It counts once an administrator vouches for it: countersign approvals keys vouch ${added.id}`,
      );
    });
  examples(add, [
    ['Enrol the key of your laptop', 'countersign approvals keys add ~/.ssh/id_ed25519 --name laptop'],
    ['A hardware key that asks for a PIN', 'ssh-keygen -t ed25519-sk -O verify-required -f ~/.ssh/id_votes'],
  ]);

  const vouch = takesApi(keys.command('vouch <id>'))
    .description('say that the key is the person’s whose name it bears; compare the fingerprint with them first')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice & { yes?: boolean }) => {
      const client = openClient(choice, io);
      const { items } = await client.get<{ items: ApproverKeyRow[] }>('/api/approver-keys');
      const key = items.find((one) => one.id === id);
      if (!key) throw new Exit(1, 'There is no such key. Take its id from "countersign approvals keys list".');
      if (!choice.json) printLine(io, `${key.personName} (${key.person})  ${key.name}  ${key.fingerprint}`);
      if (!choice.yes) await sure(io, 'Type vouch if the person told you this fingerprint: ', 'vouch');
      const after = await client.post<ApproverKeyRow>(`/api/approver-keys/${segment(id)}/vouch`, {});
      if (choice.json) return printJson(io, after);
      printLine(io, after.state, 'bold');
    });
  examples(vouch, [['After the person read the fingerprint to you', 'countersign approvals keys vouch 8d02b1…']]);

  const revoke = takesApi(keys.command('revoke <id>'))
    .description('end a key for good')
    .option('--reason <text>', 'why; it is recorded', '')
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice & { reason: string }) => {
      const path = `/api/approver-keys/${segment(id)}/revoke`;
      const after = await openClient(choice, io).post<ApproverKeyRow>(path, { reason: choice.reason });
      if (choice.json) return printJson(io, after);
      printLine(io, after.state, 'bold');
    });
  examples(revoke, [['A lost laptop', 'countersign approvals keys revoke 8d02b1… --reason "laptop lost"']]);
}

async function sure(io: Io, question: string, word: string): Promise<void> {
  const reply = await io.ask?.(question);
  if (reply === undefined) throw new Exit(2, 'Nobody can answer here. Compare the fingerprint first, then add --yes.');
  if (reply.trim().toLowerCase() !== word) throw new Exit(1, 'Nothing was sent.');
}

function row(key: ApproverKeyRow): Cell[] {
  const tone = { waiting: 'yellow', counts: 'green', revoked: 'dim' } as const;
  return [
    key.id,
    { text: key.state, tone: tone[key.state] },
    `${key.personName} (${key.person})`,
    key.name,
    key.method,
    key.fingerprint,
    moment(key.enrolled.at),
  ];
}
