// An approval proven to a stranger: the command's own check, the stock ssh-keygen, and what an attacker with the file would change.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sshFolder } from '../../test/peers/ssh-keygen.ts';
import { verifies } from '../../test/requirements.ts';
import { type ApprovalProof, parseApprovalProof } from '../approvals/proof.ts';
import { hold, statement, type World, world } from '../api/world.suite.ts';
import { register as approvals } from './approvals.ts';
import { run } from './run.ts';

const ssh = sshFolder();
afterAll(() => ssh.remove());

async function line(args: readonly string[], env: Record<string, string> = {}) {
  const said = { out: '', err: '' };
  const code = await run(
    args,
    { version: '0', commands: [approvals] },
    {
      stdout: { write: (text: string) => void (said.out += text) },
      stderr: { write: (text: string) => void (said.err += text) },
      env: { NO_COLOR: '1', ...env },
      now: Date.now,
    },
  );
  return { code, ...said };
}

async function as(of: World, who: string): Promise<Record<string, string>> {
  const file = join(of.place.root, `${who}.token`);
  writeFileSync(file, await of.token(who));
  return { COUNTERSIGN_URL: of.url, COUNTERSIGN_TOKEN_FILE: file };
}

/** As in docs/config.md, with as much as the command looks at. */
function configOf({ place }: World): string {
  const file = join(place.root, 'countersign.yaml');
  mkdirSync(join(place.root, 'policies'), { recursive: true });
  writeFileSync(
    file,
    `version: 1
gateway: { name: gw-a, origin: example.test/log }
data: .
listeners: [{ protocol: postgres, port: 6432, plaintext: loopback }]
console: { url: "http://localhost:8080" }
issuers: [{ name: a, issuer: "https://id.example", audience: c, discovery: true, principal: { kind: human } }]
targets: [{ name: shop, protocol: postgres, host: 127.0.0.1, database: shop, tls: { mode: disable }, credential: { user: app } }]
policies: ./policies
`,
  );
  return file;
}

async function proven() {
  const of = await world({ admins: ['dba', 'auditors'] });
  const [dana, omar] = [await as(of, 'dana'), await as(of, 'omar')];
  const pair = ssh.pair('ed25519');
  const { id: key } = JSON.parse((await line(['approvals', 'keys', 'add', pair.file, '--json'], dana)).out) as {
    id: string;
  };
  await line(['approvals', 'keys', 'vouch', key, '--yes'], omar);
  const session = await of.session('migration-agent');
  await session.submit(statement('select 1'));
  const { ruling, id } = await hold(session, 'truncate orders', undefined, 'sql:truncate');
  const granted = await line(
    ['approvals', 'approve', id, '--yes', '--ssh-key', pair.file, '--reason', 'as planned'],
    dana,
  );
  expect(granted).toMatchObject({ code: 0 });
  expect((await ruling).granted).toBe(true);
  await of.ledger.checkpointNow();
  const file = join(of.place.root, 'proof.json');
  const prove = await line(['approvals', 'prove', id, '--config', configOf(of), '--out', file]);
  expect(prove).toMatchObject({ code: 0, err: '' });
  return { of, id, file, key: of.place.vkey, keyId: key, dana, pair };
}

test(verifies('approval.signed', 'an approval verifies offline: by the command, and by ssh-keygen alone'), async () => {
  const { of, file, key, id } = await proven();
  const folder = join(of.place.root, 'check');
  const checked = await line(['approvals', 'check', file, '--key', key, '--files', folder]);
  expect(checked).toMatchObject({ code: 0, err: '' });
  for (const part of ['truncate orders', 'grade signed', 'granted', 'once, entry', 'proven'])
    expect(checked.out).toContain(part);
  const voter = readFileSync(join(folder, 'vote-1.allowed_signers'), 'utf8').split(' ')[0]!;
  const args = [
    '-Y',
    'verify',
    '-f',
    'vote-1.allowed_signers',
    '-I',
    voter,
    '-n',
    'countersign-approval',
    '-s',
    'vote-1.ballot.json.sig',
  ];
  const ballot = readFileSync(join(folder, 'vote-1.ballot.json'));
  expect(execFileSync('ssh-keygen', args, { cwd: folder, input: ballot }).toString()).toContain(
    'Good "countersign-approval"',
  );
  const changed = Buffer.from(ballot.toString().replace('truncate orders', 'truncate Orders'));
  expect(spawnSync('ssh-keygen', args, { cwd: folder, input: changed }).status).not.toBe(0);
  const json = JSON.parse((await line(['approvals', 'check', file, '--key', key, '--json'])).out) as Record<
    string,
    unknown
  >;
  expect(json).toMatchObject({
    ok: true,
    state: 'granted',
    request: { id },
    votes: [{ grade: 'signed', answer: 'grant' }],
  });
});

test('whatever is changed, left out or moved in a proof is found', async () => {
  const { of, file, key, keyId, dana } = await proven();
  const whole = parseApprovalProof(readFileSync(file, 'utf8'));
  const types = whole.entries.map(({ entry }) => /"t":"([^"]*)"/.exec(entry)![1]!);
  expect(types).toEqual([
    'approver-key.enrol',
    'approver-key.vouch',
    'statement.decision',
    'approval.request',
    'approval.vote',
    'approval.resolution',
    'statement.decision',
  ]);
  const check = async (proof: ApprovalProof, vkey = key) => {
    const path = join(of.place.root, 'changed.json');
    writeFileSync(path, JSON.stringify(proof));
    return line(['approvals', 'check', path, '--key', vkey]);
  };
  expect((await check(whole)).code).toBe(0);
  const without = (type: string) => ({ ...whole, entries: whole.entries.filter((_, at) => types[at] !== type) });
  for (const [type, why] of [
    ['approver-key.enrol', 'no entry before it enrols its key'],
    ['approver-key.vouch', 'the entry that vouches for its key is missing'],
    ['approval.request', '0 entries of the request'],
    ['approval.vote', 'fewer than 1 people granted'],
    ['approval.resolution', '0 entries of the resolution'],
  ] as const)
    expect((await check(without(type))).err, type).toContain(why);
  for (const [at, one] of whole.entries.entries()) {
    const withEntry = (change: Partial<typeof one>) => ({
      ...whole,
      entries: whole.entries.map((each, place) => (place === at ? { ...each, ...change } : each)),
    });
    const other = whole.entries[(at + 1) % whole.entries.length]!;
    const changes: Partial<typeof one>[] = [
      { entry: one.entry.replace(/"ts":(\d)/, '"ts":1$1') },
      { entry: other.entry },
      { proof: other.proof },
      { proof: one.proof.replace(/index \d+/, 'index 1') },
      ...(one.disclosed
        ? [
            {
              disclosed: {
                ...one.disclosed,
                value: one.disclosed.value.replace('orders', 'carts').replace('dana', 'omar'),
              },
            },
            { disclosed: { ...one.disclosed, salt: 'A'.repeat(43) } },
          ]
        : []),
    ];
    for (const change of changes) {
      if (
        change.disclosed?.value === one.disclosed?.value &&
        change.disclosed?.salt === one.disclosed?.salt &&
        change.disclosed
      )
        continue;
      const said = await check(withEntry(change));
      expect(said.code, `${types[at]} ${JSON.stringify(Object.keys(change))} ${said.out}`).toBe(1);
    }
  }
  const strange = `${key.slice(0, key.lastIndexOf('+') + 1)}${'A'.repeat(44)}`;
  expect((await check(whole, strange)).code).not.toBe(0);
  expect((await check({ ...whole, entries: 'none' } as unknown as ApprovalProof)).err).toContain('not one that');
  // A revocation after the vote takes nothing from it; the proof made then says both.
  await line(['approvals', 'keys', 'revoke', keyId], dana);
  await of.ledger.checkpointNow();
  const { id } = JSON.parse(whole.entries[3]!.disclosed!.value).request as { id: string };
  const later = join(of.place.root, 'later.json');
  await line(['approvals', 'prove', id, '--config', configOf(of), '--out', later]);
  const after = parseApprovalProof(readFileSync(later, 'utf8'));
  expect(after.entries.some(({ entry }) => entry.includes('approver-key.revoke'))).toBe(true);
  expect((await check(after)).code).toBe(0);
});
