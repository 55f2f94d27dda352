// countersign approvals prove | check: an approval for somebody who trusts neither the gateway nor its operator.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CheckedApproval, CheckedVote, ProvenEntry } from '../approvals/proof.ts';
import type { PayloadGroup } from '../domain/entry.ts';
import type { JournalItem } from '../ledger/read-journal.ts';
import { keyText } from './arguments.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';
import { moment, printFacts, printText } from './record-words.ts';

export function registerProof(approvals: Command, io: Io): void {
  const prove = takesConfig(approvals.command('prove <id>'))
    .description('write down what proves an approval offline; run it where the gateway’s data folder is')
    .option('-o, --out <file>', 'file to write (default: approval-<id>.json)')
    .option('--json', 'print what was written as JSON')
    .action(async (id: string, options: ConfigOption & { out?: string; json?: boolean }) => {
      const entries = await collectEntries(id, options, io);
      const { formatApprovalProof } = await import('../approvals/proof.ts');
      const file = options.out ?? `approval-${id}.json`;
      writeFileSync(file, formatApprovalProof(entries), { mode: 0o600 });
      if (options.json) return printJson(io, { file, entries: entries.length });
      printLine(io, `wrote ${file}: ${entries.length} entries with their proofs`);
      printLine(
        io,
        'It discloses the request, its votes and the keys that signed them, and nothing else of the log.',
        'dim',
      );
    });
  examples(prove, [
    ['For an auditor who asks about one change', 'countersign approvals prove 8d02b1… --out change-17.json'],
  ]);

  const check = approvals
    .command('check <file>')
    .description('check such a file offline: exit 0 when all of it holds, 1 when not')
    .requiredOption('-k, --key <key>', 'public key of the log, or a file that holds it')
    .option('--files <folder>', 'also write what ssh-keygen and openssl need to check the signatures')
    .option('--json', 'print the result as JSON')
    .action((file: string, options: { key: string; files?: string; json?: boolean }) => checkFile(file, options, io));
  examples(check, [
    ['Check it', 'countersign approvals check change-17.json --key ledger.vkey'],
    ['And again with standard tools', 'countersign approvals check change-17.json --key ledger.vkey --files check'],
  ]);
}

/** Entries that an approval is proven by, with the group of each that must be read. */
const disclosedGroups: Readonly<Record<string, PayloadGroup | undefined>> = {
  'approval.request': 'approval',
  'approval.vote': 'approval',
  'approval.resolution': undefined,
  'statement.decision': undefined,
  'approver-key.enrol': 'admin',
  'approver-key.vouch': 'admin',
  'approver-key.revoke': 'admin',
};

async function collectEntries(id: string, options: ConfigOption, io: Io): Promise<ProvenEntry[]> {
  const config = await openConfig(options, io);
  const [{ dataPaths }, { openKeyring }, { openKeyProvider }, { readJournal }, { readTiles }] = await Promise.all([
    import('../config/config.ts'),
    import('../ledger/keyring.ts'),
    import('../keys/open-provider.ts'),
    import('../ledger/read-journal.ts'),
    import('../ledger/tile-reading.ts'),
  ]);
  const [{ formatTlogProof }, { parseCheckpoint, parseNote }, { canonical }, { disclosingSalt }] = await Promise.all([
    import('../ledger/tlog-proof.ts'),
    import('../ledger/note.ts'),
    import('../ledger/canonical.ts'),
    import('../ledger/payload.ts'),
  ]);
  const { ledger: folder, state } = dataPaths(config);
  if (!existsSync(join(folder, 'checkpoint')))
    throw new Exit(2, `there is no ledger in ${folder}: run this where the gateway's data folder is`);
  const { origin } = config.gateway;
  const keys = openKeyring(state, openKeyProvider({ state, origin, keys: config.ledger.keys }));
  try {
    const checkpoint = readFileSync(join(folder, 'checkpoint'), 'utf8');
    const { size } = parseCheckpoint(parseNote(checkpoint).text);
    const found: JournalItem[] = [];
    const keyActs: JournalItem[] = [];
    for await (const item of readJournal(folder, 0, keys)) {
      if (item.index >= size) break;
      const { t, x } = item.entry;
      if (t.startsWith('approver-key.')) keyActs.push(item);
      else if (t in disclosedGroups && (t === 'statement.decision' ? x['approval'] : x['id']) === id) found.push(item);
    }
    if (!found.some(({ entry }) => entry.t === 'approval.request'))
      throw new Exit(
        1,
        `no request ${id} stands under the newest checkpoint. Take its id from "countersign approvals list --state all".`,
      );
    if (!found.some(({ entry }) => entry.t === 'approval.resolution'))
      throw new Exit(
        1,
        `the request ${id} has not ended yet, or not under the newest checkpoint. Ask again in a moment.`,
      );
    const used = new Set(found.flatMap(keyOf));
    const all = [...keyActs.filter(({ entry }) => used.has(String(entry.x['key']))), ...found];
    const tiles = readTiles((path) => readFile(join(folder, path)), size);
    return await Promise.all(
      all.map(async ({ index, entry, payload }) => {
        const proof = formatTlogProof({ index, path: await tiles.inclusion(index), checkpoint });
        const bytes = { entry: (await tiles.entry(index)).toString(), proof };
        const group = disclosedGroups[entry.t];
        if (group === undefined) return bytes;
        if (payload === 'shredded')
          throw new Exit(1, 'what was asked and signed was erased with the keys of its session.');
        const value = payload?.[group];
        const key = (await keys.open([entry.k!])).get(entry.k!);
        if (value === undefined || !key) throw new Exit(1, `the content of entry ${index} cannot be read.`);
        return { ...bytes, disclosed: { group, salt: disclosingSalt(key, index, group), value: canonical(value) } };
      }),
    );
  } finally {
    keys.close();
  }
}

function keyOf({ payload }: JournalItem): string[] {
  const vote = payload === undefined || payload === 'shredded' ? undefined : payload.approval;
  const signed = (vote as { signed?: { key?: string } } | undefined)?.signed;
  return signed?.key === undefined ? [] : [signed.key];
}

async function checkFile(
  file: string,
  options: { key: string; files?: string; json?: boolean },
  io: Io,
): Promise<void> {
  const [{ checkApprovalProof, parseApprovalProof, ProofProblem }, { NoteError, parseVkey }] = await Promise.all([
    import('../approvals/proof.ts'),
    import('../ledger/note.ts'),
  ]);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Exit(2, `${file} cannot be read. Name a file that "countersign approvals prove" wrote.`);
  }
  let checked: CheckedApproval;
  try {
    checked = checkApprovalProof(parseApprovalProof(text), parseVkey(keyText(options.key)));
  } catch (error) {
    if (error instanceof NoteError) throw new Exit(2, `--key: ${error.message}`);
    if (!(error instanceof ProofProblem)) throw error;
    if (options.json) printJson(io, { ok: false, what: error.message });
    throw new Exit(1, options.json ? '' : `not proven: ${error.message}`);
  }
  if (options.files !== undefined)
    for (const [at, vote] of checked.votes.entries()) writeVote(options.files, at + 1, vote);
  if (options.json) {
    const votes = checked.votes.map(({ index, voter, voterName, answer, grade, at, ssh, passkey }) => ({
      index,
      voter,
      voterName,
      answer,
      grade,
      at,
      key: ssh?.key ?? passkey?.key,
    }));
    return printJson(io, { ok: true, ...checked, votes });
  }
  const { request, state, digest, votes, permitted } = checked;
  printFacts(io, [
    ['request', request.id],
    ['state', state],
    ['requester', `${request.requester.name} (${request.requester.principal})`],
    ['target', `${request.target.name}/${request.target.database}`],
    ['digest', digest],
    ['let through', permitted === undefined ? 'no' : `once, entry ${permitted}`],
  ]);
  printText(io, request.action.text);
  for (const { voterName, voter, answer, grade, at } of votes)
    printLine(io, `${voterName} (${voter}) ${answer} ${moment(at)}, grade ${grade}`);
  if (options.files !== undefined) printLine(io, `wrote what ssh-keygen and openssl check to ${options.files}`);
  printLine(io, 'proven', 'bold');
}

/** What the stock tools take: docs/approvals.md has the commands. */
function writeVote(folder: string, number: number, { ballot, voter, ssh, passkey }: CheckedVote): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, content: string | Uint8Array) =>
    writeFileSync(join(folder, `vote-${number}.${name}`), content);
  write('ballot.json', ballot);
  if (ssh) {
    write('ballot.json.sig', ssh.signature);
    write('allowed_signers', `${voter.replaceAll(/[\s,"]/g, '_')} namespaces="countersign-approval" ${ssh.key}\n`);
  }
  if (passkey) {
    const { key, assertion } = passkey;
    const spki = key.spki.replaceAll(/(.{64})/g, '$1\n').trimEnd();
    write('pem', `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
    write('clientData.json', Buffer.from(assertion.clientDataJSON, 'base64url'));
    write('authenticatorData', Buffer.from(assertion.authenticatorData, 'base64url'));
    write('signature', Buffer.from(assertion.signature, 'base64url'));
  }
}
