// countersign approvals list | show | approve | deny: holds that wait for people, over the API. A vote binds the digest that was shown.
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { ApprovalRow, Page, Vote, VoteGrade } from '../api/contract.ts';
import { unusual } from '../domain/safe-text.ts';
import { type ApiChoice, type ApiClient, openClient, segment, takesApi } from './api-client.ts';
import { registerProof } from './approval-proof.ts';
import { registerKeys } from './approver-keys.ts';
import { ballotFor } from './ballot.ts';
import { type Cell, examples, Exit, type Io, printJson, printLine, printTable } from './output.ts';
import { effectWords, moment, printFacts, printParameters, printText, ruled, span } from './record-words.ts';
import { sshSign } from './ssh-keygen.ts';
import { wholeNumber } from './arguments.ts';

type Choice = ApiChoice & { readonly json?: boolean };
type VoteChoice = Choice & {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly digest?: string;
  readonly sshKey?: string;
  readonly signature?: string;
};

/** What signatures of votes are made for; the gateway takes no other (approvals/ssh-signature.ts). */
const namespace = 'countersign-approval';

export function register(program: Command, io: Io): void {
  const approvals = program.command('approvals').description('statements that wait for people');

  const list = takesApi(approvals.command('list'))
    .description('approval requests, newest first')
    .option('--state <state>', 'pending, resolved or all', 'pending')
    .option('--limit <n>', 'at most so many', wholeNumber, 50)
    .option('--before <cursor>', 'the page after this cursor')
    .option('--json', 'print JSON')
    .action(async ({ url, tokenFile, json, ...query }: Choice & { state: string; limit: number; before?: string }) => {
      const page = await openClient({ url, tokenFile }, io).get<Page<ApprovalRow>>('/api/approvals', query);
      if (json) return printJson(io, page);
      await printTable(
        io,
        ['id', 'state', 'requester', 'target', 'group', 'left', 'statement'],
        page.items.map((one) => row(one, io)),
      );
      if (page.items.length === 0 && io.stdout.isTTY) printLine(io, 'Nothing waits.');
      if (page.next && io.stdout.isTTY) printLine(io, `more: --before ${page.next}`, 'dim');
    });
  examples(list, [
    ['What waits for an answer', 'countersign approvals list'],
    ['What was decided before', 'countersign approvals list --state resolved --json'],
  ]);

  const show = takesApi(approvals.command('show <id>'))
    .description('one request: statement, effects, digest, votes')
    .option('--json', 'print JSON')
    .action(async (id: string, choice: Choice) => {
      const request = await read(openClient(choice, io), id);
      if (choice.json) return printJson(io, request);
      printRequest(io, request);
    });
  examples(show, [['Read a request', 'countersign approvals show 8d02b1…']]);

  registerKeys(approvals, io);
  registerProof(approvals, io);

  const ballot = takesApi(approvals.command('ballot <id>'))
    .description('what is signed for a vote, to the byte; for keys that are on another machine')
    .option('--answer <answer>', 'grant or refuse', 'grant')
    .option('--reason <text>', 'why; it is signed too')
    .action(async (id: string, choice: Choice & { answer: string; reason?: string }) => {
      const { answer, reason } = choice;
      if (answer !== 'grant' && answer !== 'refuse') throw new Exit(2, '--answer is grant or refuse.');
      const client = openClient(choice, io);
      io.stdout.write(await ballotFor(client, await read(client, id), answer, reason));
    });
  examples(ballot, [
    [
      'Sign where the key is',
      `countersign approvals ballot 8d02b1… > ballot.json
    $ ssh-keygen -Y sign -n ${namespace} -f ~/.ssh/id_ed25519 ballot.json
    $ countersign approvals approve 8d02b1… --signature ballot.json.sig`,
    ],
  ]);

  for (const [name, answer, description] of [
    ['approve', 'grant', 'let a held statement run, once'],
    ['deny', 'refuse', 'refuse a held statement for good'],
  ] as const) {
    const command = takesApi(approvals.command(`${name} <id>`))
      .description(description)
      .option('--reason <text>', 'why; requester and record are told')
      .option('--digest <hex>', 'vote only when the request still has this digest')
      .option('--ssh-key <file>', 'sign the vote with this SSH key; ssh-keygen asks for passphrase, PIN or touch')
      .option('--signature <file>', 'a signature that was made elsewhere, over what "approvals ballot" printed')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .action((id: string, choice: VoteChoice) => vote(id, answer, choice, io));
    examples(command, [
      ['Read it, answer, done', `countersign approvals ${name} 8d02b1…`],
      ['Signed with your own key', `countersign approvals ${name} 8d02b1… --ssh-key ~/.ssh/id_ed25519`],
      ['In a script, bound to what was read before', `countersign approvals ${name} 8d02b1… --yes --digest 5b9f…`],
    ]);
  }
}

async function vote(id: string, answer: Vote['answer'], choice: VoteChoice, io: Io): Promise<void> {
  const client = openClient(choice, io);
  const request = await read(client, id);
  if (!choice.json) printRequest(io, request);
  if (!request.mayVote) throw new Exit(1, request.mayNotBecause ?? 'You may not vote on this.');
  if (choice.digest !== undefined && choice.digest !== request.digest) {
    throw new Exit(1, 'The request has another digest: it is not the one you read. Read it again.');
  }
  if (!choice.yes) await confirm(answer, io);
  // An empty reason is none, also in what is signed.
  const reason = choice.reason || undefined;
  const signature = await signatureFor(client, request, answer, reason, choice);
  const body: Vote = {
    answer,
    digest: request.digest,
    ...(reason === undefined ? {} : { reason }),
    ...(signature === undefined ? {} : { signature: { ssh: signature } }),
  };
  const after = await client.post<ApprovalRow>(`/api/approvals/${segment(id)}/votes`, body);
  if (choice.json) return printJson(io, after);
  const left = after.quorum - after.votes.filter((one) => one.answer === 'grant').length;
  printLine(io, after.state === 'pending' ? `recorded; ${left} more must grant it` : after.state, 'bold');
}

async function signatureFor(
  client: ApiClient,
  request: ApprovalRow,
  answer: Vote['answer'],
  reason: string | undefined,
  { sshKey, signature }: VoteChoice,
): Promise<string | undefined> {
  if (sshKey !== undefined) return sshSign(sshKey, await ballotFor(client, request, answer, reason), namespace);
  if (signature === undefined) return undefined;
  try {
    return readFileSync(signature, 'utf8');
  } catch {
    throw new Exit(2, `${signature} cannot be read. It is what ssh-keygen -Y sign wrote.`);
  }
}

async function confirm(answer: Vote['answer'], io: Io): Promise<void> {
  const reply = await io.ask?.(`Type ${answer} to ${answer} this statement: `);
  if (reply === undefined)
    throw new Exit(2, 'Nobody can answer here. Read the request first, then add --yes and --digest.');
  if (reply.trim().toLowerCase() !== answer) throw new Exit(1, 'Nothing was sent.');
}

const demand = {
  signed: 'each signed with their own key',
  verified: 'each signed with a key that checks who is there',
} as const;

const gradeWords: Record<VoteGrade, string> = {
  session: 'by a click while signed in',
  signed: 'signed with their own key',
  verified: 'signed with a key that checked who was there',
};

function read(client: ApiClient, id: string): Promise<ApprovalRow> {
  return client.get<ApprovalRow>(`/api/approvals/${segment(id)}`);
}

function row(request: ApprovalRow, io: Io): Cell[] {
  return [
    request.id,
    ruled(request.state),
    request.requesterName,
    `${request.target}/${request.database}`,
    request.group,
    request.state === 'pending' ? span(request.expires - io.now()) : '',
    request.text,
  ];
}

function printRequest(io: Io, request: ApprovalRow): void {
  const needs = `${request.quorum} of ${request.group}${request.grade ? `, ${demand[request.grade]}` : ''}`;
  printFacts(io, [
    ['request', request.id],
    [
      'state',
      request.state === 'pending'
        ? `pending, ${span(request.expires - io.now())} left`
        : `${request.state} ${moment(request.resolved)}`,
    ],
    ['requester', `${request.requesterName} (${request.requester})`],
    ['target', `${request.target}/${request.database}`],
    ['session', `${request.session} #${request.sequence}`],
    ['rules', request.rules.join(', ')],
    ['advice', request.advice],
    ['needs', needs],
  ]);
  printLine(io);
  printLine(io, 'Statement', 'bold');
  printText(io, request.text);
  printParameters(io, request.parameters);
  const warning = unusual([request.text, ...(request.parameters ?? [])].join(' '));
  if (warning) printLine(io, warning, 'yellow');
  printLine(io, 'Effects', 'bold');
  for (const effect of request.effects) printLine(io, `    ${effectWords(effect)}`);
  printLine(io, 'Digest', 'bold');
  printLine(io, `    ${request.digest}`);
  if (request.votes.length > 0) printLine(io, 'Votes', 'bold');
  for (const one of request.votes) {
    printLine(
      io,
      `    ${one.voterName} (${one.voter}) ${one.answer} ${moment(one.at)}, ${gradeWords[one.grade]}${one.reason ? `: ${one.reason}` : ''}`,
    );
  }
  printLine(io);
}
