// Whole command lines, from arguments to exit code.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { completionScript } from './completion.ts';
import { register as completion } from './completion.ts';
import { register as config } from './config.ts';
import { register as ledger } from './ledger.ts';
import { Exit, type Io, type Register } from './output.ts';
import { register as policy } from './policy.ts';
import { openProgram, run } from './run.ts';
import { register as reconcile } from './reconcile.ts';
import { register as verify } from './verify.ts';
import { register as witness } from './witness.ts';

const root = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
let file: string;

const minimal = `version: 1
gateway: { name: gw, origin: example.org/gw }
listeners: [{ protocol: postgres, port: 6432, plaintext: loopback }]
console: { url: "http://127.0.0.1:8080" }
issuers: [{ name: one, issuer: "https://one.example", audience: c, jwks: { file: one.json }, principal: { kind: agent } }]
targets: [{ name: shop, protocol: postgres, host: db, database: shop, credential: { user: u, password: { env: SHOP_PASSWORD } } }]
`;
const someRules = `@id("read.all")
permit (principal, action == Action::"sql:read", resource);
@id("guard.drop")
@advice("Ask for a migration.")
forbid (principal is Agent, action == Action::"sql:drop", resource);
@id("hold.delete")
@hold("dba")
forbid (principal, action == Action::"sql:delete", resource);
@id("write.all")
permit (principal, action == Action::"sql:delete", resource);
`;

beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
  file = join(folder, 'countersign.yaml');
  writeFileSync(file, minimal);
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies', 'some.cedar'), someRules);
});

const commands: readonly Register[] = [config, policy, ledger, verify, reconcile, witness, completion];

async function line(args: readonly string[], env: Record<string, string> = {}, extra: readonly Register[] = []) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => void (written.err += text) },
    env,
    now: () => 1_800_000_000_000,
  };
  const code = await run(args, { version: '9.9.9', commands: [...commands, ...extra] }, io);
  return { code, ...written };
}

describe('the frame', () => {
  test('tells its version, and help with examples for every command', async () => {
    expect(await line(['--version'])).toEqual({ code: 0, out: '9.9.9\n', err: '' });
    const { code, out } = await line(['--help']);
    expect(code).toBe(0);
    expect(out).toContain('Exit status: 0 done, 1 the answer is no, 2 not understood, 3 not reachable.');
    for (const path of [
      ['config', 'check'],
      ['config', 'show'],
      ['policy', 'check'],
      ['policy', 'explain'],
      ['policy', 'test'],
      ['policy', 'backtest'],
      ['ledger', 'init'],
      ['ledger', 'count'],
      ['reconcile'],
      ['ledger', 'proof'],
      ['ledger', 'check-proof'],
      ['ledger', 'receipt'],
      ['ledger', 'rotate'],
      ['verify'],
      ['witness', 'init'],
      ['witness', 'serve'],
      ['completion'],
    ])
      expect((await line([...path, '--help'])).out).toContain('Examples:\n');
  });

  test('what is not understood is 2, on standard error, with what to do', async () => {
    for (const args of [
      [],
      ['nothing'],
      ['config', 'chekc'],
      ['config', 'check', '--nope'],
      ['verify'],
      ['verify', 'x'],
      ['completion', 'tcsh'],
      ['policy', 'check', '--kind', 'robot'],
      ['ledger', 'proof', 'x'],
      ['ledger', 'check-proof', 'x', '--key', 'y'],
      ['ledger', 'rotate'],
      ['ledger', 'rotate', '--reason', 'whim'],
      ['ledger', 'count', '--from', 'soon'],
      ['reconcile', 'shop'],
      ['policy', 'check', '--claim', 'x'],
      ['policy', 'backtest', '--since', 'soon', '-c', file],
    ]) {
      const { code, out, err } = await line(args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: '' });
      expect(err).not.toBe('');
    }
    expect((await line(['config', 'chekc'])).err).toContain('Did you mean check?');
  });

  test('how a command ends becomes the exit code', async () => {
    const ending =
      (error: Error): Register =>
      (program) =>
        void program.command('end').action(() => Promise.reject(error));
    expect(await line(['end'], {}, [ending(new Exit(3, 'no answer from the gateway: start it'))])).toEqual({
      code: 3,
      out: '',
      err: 'countersign: no answer from the gateway: start it\n',
    });
    expect(await line(['end'], {}, [ending(new Exit(1))])).toEqual({ code: 1, out: '', err: '' });
    expect((await line(['end'], {}, [ending(new TypeError('x is not y'))])).err).toContain('this is a bug');
    const refused = Object.assign(new Error('listen EADDRINUSE: address already in use'), {
      code: 'EADDRINUSE',
      syscall: 'listen',
    });
    expect((await line(['end'], {}, [ending(refused)])).err).toContain('the system refused: listen EADDRINUSE');
  });
});

describe('config', () => {
  test('check says that it is right', async () => {
    expect(await line(['config', 'check', '--config', file])).toEqual({
      code: 0,
      out: `${file} is right: 1 listener, 1 issuer, 1 target\n`,
      err: '',
    });
    expect((await line(['config', 'check'], { COUNTERSIGN_CONFIG: file })).code).toBe(0);
    expect((await line(['config', 'check', '-c', file, '--json'])).out).toBe('{"ok":true,"problems":[]}\n');
  });

  test('check answers 1 with every problem', async () => {
    writeFileSync(file, minimal.replace('host: db', 'hots: db').replace('port: 6432', 'port: x'));
    const { code, out, err } = await line(['config', 'check', '--config', file]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n')).toEqual([
      'countersign: 3 problems in the configuration',
      `${file}:3:35: listeners[0].port: write a number`,
      `${file}:6:11: targets[0].host: missing: add this key`,
      `${file}:6:45: targets[0].hots: unknown key; did you mean host?`,
      '',
    ]);
    const json = await line(['config', 'check', '--config', file, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      problems: [{ line: 3, key: 'listeners[0].port' }, { line: 6 }, { line: 6 }],
    });
  });

  test('check --references looks for what it names', async () => {
    const check = (env: Record<string, string>) => line(['config', 'check', '--config', file, '--references'], env);
    const { code, err } = await check({});
    expect(code).toBe(1);
    expect(err.trimEnd().split('\n')).toEqual([
      'countersign: 2 problems in the configuration',
      `issuers[0].jwks: ${join(folder, 'one.json')} cannot be read (ENOENT): create it, or correct the path`,
      'targets[0].credential.password: the environment has no SHOP_PASSWORD: set it where the gateway runs',
    ]);
    writeFileSync(join(folder, 'one.json'), '{}');
    expect(await check({ SHOP_PASSWORD: 'hunter2' })).toMatchObject({ code: 0, err: '' });
  });

  test('a file that is not there or not right is 2 for every other command', async () => {
    for (const args of [
      ['config', 'check'],
      ['config', 'check', '--json'],
      ['config', 'show'],
      ['ledger', 'init'],
      ['policy', 'check'],
    ]) {
      const { code, err } = await line([...args, '--config', join(folder, 'none.yaml')]);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(err).toContain('name the file with --config');
    }
    expect((await line(['config', 'show', '--config', folder])).code).toBe(2);
    writeFileSync(file, 'version: 2');
    expect((await line(['config', 'show', '--config', file])).code).toBe(2);
  });

  test('show prints what is in effect, and of secrets only where they are', async () => {
    const env = { SHOP_PASSWORD: 'hunter2' };
    const { code, out } = await line(['config', 'show', '--config', file], env);
    expect(code).toBe(0);
    expect(out).toContain('startupSeconds: 30');
    expect(out).toContain('env: SHOP_PASSWORD');
    const json = await line(['config', 'show', '--config', file, '--json'], env);
    expect(JSON.parse(json.out)).toMatchObject({
      data: join(folder, 'data'),
      targets: [{ databases: ['shop'], credential: { password: { env: 'SHOP_PASSWORD' } } }],
    });
    expect(`${out}${json.out}`).not.toContain('hunter2');
  });
});

describe('policy check', () => {
  const check = (...args: string[]) => line(['policy', 'check', '--config', file, ...args]);

  test('validates, with file, line and column', async () => {
    expect((await check()).out).toMatch(/policies is right: 4 rules, version sha256:/);
    expect((await line(['policy', 'check', '--folder', 'policies'])).code).toBe(0);
    writeFileSync(
      join(folder, 'policies', 'more.cedar'),
      '@id("x")\npermit (principal, action == Action::"sql:raed", resource);\n',
    );
    const { code, err } = await check();
    expect(code).toBe(1);
    expect(err).toContain('more.cedar:2:');
    expect(JSON.parse((await check('--json')).out)).toMatchObject({
      ok: false,
      problems: [{ file: 'more.cedar', line: 2 }],
    });
    expect((await line(['policy', 'check', '--folder', join(folder, 'none')])).code).toBe(2);
  });

  test('answers what the policies would say', async () => {
    expect(await check('--effect', 'sql:read public.orders')).toMatchObject({
      code: 0,
      out: 'Permitted by read.all.\n',
    });
    const dropped = await check('--effect', 'sql:drop public.orders');
    expect(dropped.code).toBe(1);
    expect(dropped.out).toMatch(/^Denied by guard\.drop\./);
    expect(dropped.out).toContain('Ask for a migration.');
    expect(await check('-e', 'sql:delete public.orders', '--kind', 'human')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Held by hold\.delete\./) as string,
    });
    expect((await check('-e', 'sql:read a.b', '-e', 'sql:drop a.b')).code).toBe(1);
    expect(JSON.parse((await check('--json', '-e', 'sql:drop a.b')).out)).toMatchObject({
      ruling: 'deny',
      rules: ['guard.drop'],
    });
    expect((await check('-e', 'sql:raed a.b')).err).toContain('is not an effect');
  });

  test('takes a principal from a file', async () => {
    const path = join(folder, 'principal.json');
    writeFileSync(path, '{"kind":"human","groups":["dba"]}');
    expect((await check('-e', 'sql:read a.b', '-p', path)).code).toBe(0);
    for (const text of ['{"kind":"robot"}', '{}', '[', 'null']) {
      writeFileSync(path, text);
      expect((await check('-e', 'sql:read a.b', '-p', path)).code).toBe(2);
    }
    expect((await check('-e', 'sql:read a.b', '-p', join(folder, 'none'))).code).toBe(2);
  });
});

describe('ledger init and verify', () => {
  test('creates a log once, and it verifies with the printed key alone', async () => {
    const made = await line(['ledger', 'init', '--config', file, '--json']);
    expect({ code: made.code, err: made.err }).toEqual({ code: 0, err: '' });
    const { folder: log, vkey, origin } = JSON.parse(made.out) as { folder: string; vkey: string; origin: string };
    expect(origin).toBe('example.org/gw');
    expect((await line(['ledger', 'init', '--config', file])).code).toBe(1);

    const verified = await line(['verify', log, '--key', vkey]);
    expect({ code: verified.code, err: verified.err }).toEqual({ code: 0, err: '' });
    expect(verified.out).toMatch(/^Verified/);
    writeFileSync(join(folder, 'gw.vkey'), `${vkey}\n`);
    expect(JSON.parse((await line(['verify', log, '--key', join(folder, 'gw.vkey'), '--json'])).out)).toMatchObject({
      ok: true,
      origin,
    });

    const page = join(folder, 'verify.html');
    expect(await line(['verify', '--page', page])).toEqual({ code: 0, out: '', err: '' });
    expect(readFileSync(page, 'utf8')).toContain("default-src 'none'");

    const kept = join(folder, 'kept');
    copyFileSync(join(log, 'checkpoint'), kept);
    const continued = await line(['verify', log, '--key', vkey, '--kept', kept, '--kept', kept]);
    expect({ code: continued.code, err: continued.err }).toEqual({ code: 0, err: '' });
    expect(continued.out).toContain('2, continued by this log');
    expect((await line(['verify', log, '--key', vkey, '--kept', join(folder, 'gw.vkey')])).code).toBe(2);

    const receipt = join(folder, 'receipt.txt');
    const sshKey = join(folder, 'id');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', sshKey]);
    const receipted = await line(['ledger', 'receipt', '--config', file, '--out', receipt, '--ssh-key', sshKey]);
    expect(receipted).toEqual({ code: 0, out: `wrote ${receipt} and ${receipt}.sig\n`, err: '' });
    expect((await line(['verify', log, '--key', vkey, '--receipt', receipt])).out).toContain(
      '1, continued by this log',
    );
    const allowed = join(folder, 'allowed');
    writeFileSync(allowed, `keeper ${readFileSync(`${sshKey}.pub`, 'utf8')}`);
    const sshVerify = (input: string) =>
      spawnSync(
        'ssh-keygen',
        ['-Y', 'verify', '-f', allowed, '-I', 'keeper', '-n', 'countersign-receipt', '-s', `${receipt}.sig`],
        { input },
      ).status;
    expect(sshVerify(readFileSync(receipt, 'utf8'))).toBe(0);
    expect(sshVerify(readFileSync(receipt, 'utf8').replace('1', '2'))).not.toBe(0);
    expect((await line(['ledger', 'receipt', '--config', file])).out).toBe(readFileSync(receipt, 'utf8'));
    expect((await line(['ledger', 'receipt', '--config', file, '--to', 'a@example.org'])).code).toBe(2);

    const proven = await line(['ledger', 'proof', '0', '--config', file, '--out', folder, '--json']);
    expect({ code: proven.code, err: proven.err }).toEqual({ code: 0, err: '' });
    const { proof, entry } = JSON.parse(proven.out) as { proof: string; entry: string };
    const check = (of: string) => line(['ledger', 'check-proof', proof, '--entry', of, '--key', vkey]);
    expect(await check(entry)).toEqual({
      code: 0,
      out: 'the entry stands at 0 of 1 in the log example.org/gw\n',
      err: '',
    });
    writeFileSync(entry, `${readFileSync(entry, 'utf8')} `);
    expect(await check(entry)).toMatchObject({ code: 1, err: expect.stringContaining('not proven') });
    expect((await check(join(folder, 'none'))).code).toBe(2);
    expect((await line(['ledger', 'proof', '1', '--ledger', log])).err).toContain('entries 0 to 0');
    expect((await line(['ledger', 'proof', '0', '--ledger', folder])).code).toBe(2);

    const rotate = ['ledger', 'rotate', '--reason', 'compromised', '--config', file, '--json'];
    expect(await line(rotate)).toMatchObject({ code: 1, err: expect.stringContaining('Give gateway.origin the name') });
    writeFileSync(file, readFileSync(file, 'utf8').replace('example.org/gw', 'example.org/gw/2026'));
    const rotated = await line(rotate);
    expect({ code: rotated.code, err: rotated.err }).toEqual({ code: 0, err: '' });
    const { folder: second } = JSON.parse(rotated.out) as { folder: string };
    expect(second).toBe(`${log}-2`);
    const both = await line(['verify', log, second, '--key', vkey, '--kept', kept]);
    expect({ code: both.code, err: both.err }).toEqual({ code: 0, err: '' });
    expect(both.out).toContain('2 logs that continue each other');
    expect(both.out).toContain('Its key was stolen');
    expect((await line(['verify', second, log, '--key', vkey])).out).toMatch(/^CHAIN NOT VERIFIED/);
    expect((await line(['verify', log, '--key', vkey])).out).toContain('Continued by        example.org/gw/2026');
    // What is asked of the record now is asked of the log that is written.
    expect((await line(['ledger', 'proof', '0', '--config', file, '--out', folder])).code).toBe(0);

    expect((await line(['verify', log, '--key', 'nonsense'])).code).toBe(2);
    expect((await line(['verify', join(folder, 'none'), '--key', vkey])).code).toBe(2);
    writeFileSync(join(log, 'checkpoint'), 'x');
    const damaged = await line(['verify', log, '--key', vkey]);
    expect({ code: damaged.code, err: damaged.err }).toEqual({ code: 1, err: '' });
    expect(damaged.out).toContain('checkpoint');
  });
});

describe('witness', () => {
  test('init makes a key once; what is no key, name or port is 2', async () => {
    const state = join(folder, 'witness');
    const made = await line(['witness', 'init', 'witness.example', '--state', state, '--json']);
    expect({ code: made.code, err: made.err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(made.out)).toMatchObject({ vkey: expect.stringMatching(/^witness\.example\+[0-9a-f]{8}\+B/) });
    expect((await line(['witness', 'init', 'witness.example', '--state', state])).err).toContain('already a witness');
    expect((await line(['witness', 'init', 'a name', '--state', join(folder, 'other')])).code).toBe(2);
    expect((await line(['witness', 'serve', '--state', state])).code).toBe(2);
    expect((await line(['witness', 'serve', '--state', state, '--log', 'nonsense'])).err).toContain('--log: ');
    expect((await line(['witness', 'serve', '--state', state, '--log', 'x', '--port', '99999'])).code).toBe(2);
  });
});

describe('completion', () => {
  const program = openProgram(
    { version: '0', commands },
    { stdout: { write() {} }, stderr: { write() {} }, env: {}, now: () => 0 },
  );

  test('bash offers commands, subcommands, options and choices', () => {
    const script = join(folder, 'completion.bash');
    writeFileSync(script, completionScript(program, 'bash'));
    const ask = (...words: string[]) =>
      execFileSync(
        'bash',
        [
          '-c',
          `source "$0"; COMP_WORDS=(countersign "$@"); COMP_CWORD=$#; _countersign; printf '%s ' "\${COMPREPLY[@]}"`,
          script,
          ...words,
        ],
        { encoding: 'utf8', cwd: folder },
      ).trim();
    expect(ask('')).toBe('config policy ledger verify reconcile witness completion --version --help');
    expect(ask('con')).toBe('config');
    expect(ask('config', '')).toBe('check show --help');
    expect(ask('config', 'check', '--')).toBe('--config --references --json --help');
    expect(ask('config', 'check', '--config', 'coun')).toBe('countersign.yaml');
    expect(ask('completion', 'z')).toBe('zsh');
  });

  test('the scripts of all shells are made of the same words', () => {
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      const script = completionScript(program, shell);
      for (const word of ['config check', '--recordings', 'ledger init', '--help']) expect(script).toContain(word);
    }
    for (const [shell, flag] of [
      ['zsh', '-n'],
      ['fish', '--no-execute'],
    ] as const) {
      const path = join(folder, `completion.${shell}`);
      writeFileSync(path, completionScript(program, shell));
      const checked = spawnSync(shell, [flag, path], { encoding: 'utf8' });
      // Where the shell is not installed there is nothing to ask.
      if (!checked.error) expect(checked.stderr).toBe('');
    }
  });
});
