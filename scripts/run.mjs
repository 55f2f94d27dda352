// Runs one of the project's commands on a machine that has only Node (20 or later) and npm: brings Node 24 where the
// machine's own is older, installs what the lockfile names, then starts the command. Plain JavaScript, no imports
// outside Node, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const tools = join(root, '.tools');
const needed = 24;

/**
 * What each command runs, in order, with Node 24 first on PATH. The last step gets the command's own arguments. `settings` are
 * variables that the environment may set otherwise; `packages` is a folder with a lockfile of its own that the command needs.
 */
const commands = {
  demo: { build: true, steps: [['node', 'dist/bin/countersign.js', 'demo']] },
  'demo:sql': { build: true, steps: [['node', 'dist/bin/countersign.js', 'demo', 'sql']] },
  test: { build: true, steps: [['node', 'node_modules/vitest/vitest.mjs', 'run']] },
  'test:vectors': {
    steps: [['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.vectors.config.ts']],
  },
  'test:conformance': {
    build: true,
    packages: 'test/conformance/npm',
    steps: [['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.conformance.config.ts']],
  },
  'test:browser': {
    build: true,
    steps: [['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.browser.config.ts']],
  },
  nightly: {
    build: true,
    settings: {
      COUNTERSIGN_FUZZ: '1000000',
      COUNTERSIGN_STREAMS: '2000',
      COUNTERSIGN_MODEL_RUNS: '1000',
      COUNTERSIGN_CROSSTALK: '200',
      COUNTERSIGN_CROSSTALK_SECONDS: '60',
      COUNTERSIGN_KILLS: '1000',
      COUNTERSIGN_HEAVY: '1',
    },
    steps: [['node', 'node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.nightly.config.ts']],
  },
  check: {
    steps: [
      ['node', 'node_modules/typescript/bin/tsc', '-p', '.'],
      ['node', 'node_modules/typescript/bin/tsc', '-p', 'web'],
      ['node', 'node_modules/typescript/bin/tsc', '-p', 'web/verify'],
      ['node_modules/.bin/oxlint', '--type-aware', '--deny-warnings', 'src', 'test', 'bench', 'web/src'],
      ['node_modules/.bin/biome', 'format', '.'],
      ['node', 'node_modules/knip/bin/knip.js'],
    ],
  },
  build: { build: 'always', steps: [] },
  bench: { build: true, steps: [['node', 'bench/run.ts']] },
  screenshots: { build: true, steps: [['node', 'scripts/screenshots.ts']] },
  countersign: { build: true, steps: [['node', 'dist/bin/countersign.js']] },
};

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(`countersign: ${text}`);
  process.exit(1);
}

/** npm as this machine has it: the one that runs us, else the one beside node. */
function npmCli() {
  if (process.env.npm_execpath?.endsWith('.js') && existsSync(process.env.npm_execpath))
    return process.env.npm_execpath;
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (existsSync(beside)) return beside;
  return fail('npm was not found. Start this through npm, for example: npm run demo');
}

function runQuietly(node, args, cwd, what) {
  const started = Date.now();
  say(`${what} …`);
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    npm_config_update_notifier: 'false',
  };
  // npm passes its own settings on as environment; those of the outer run must not steer the inner one.
  for (const key of Object.keys(env))
    if (/^npm_(config_(prefix|global|local_prefix)|package_|lifecycle_)/i.test(key)) delete env[key];
  const done = spawnSync(node, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (done.status !== 0) {
    say((done.stdout ?? '') + (done.stderr ?? ''));
    fail(
      `${what} failed (exit ${done.status ?? done.signal}). The output above says why; run the same command again once that is mended.`,
    );
  }
  say(`${what} … done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** A Node of version 24 or later: this one, the one brought before, or one brought now. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= needed) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const brought = join(tools, 'node_modules', name, 'bin', 'node');
  const lock = join(root, 'scripts', 'node24', 'package-lock.json');
  if (
    existsSync(brought) &&
    existsSync(join(tools, 'package-lock.json')) &&
    readFileSync(join(tools, 'package-lock.json'), 'utf8') === readFileSync(lock, 'utf8')
  )
    return brought;
  mkdirSync(tools, { recursive: true });
  cpSync(join(root, 'scripts', 'node24', 'package.json'), join(tools, 'package.json'));
  cpSync(lock, join(tools, 'package-lock.json'));
  runQuietly(
    process.execPath,
    [npmCli(), 'ci', '--no-audit', '--no-fund', '--include=optional', '--loglevel=error'],
    tools,
    `Node ${process.versions.node} is older than ${needed}: installing Node ${needed} into .tools`,
  );
  if (!existsSync(brought))
    fail(
      `no Node ${needed} package exists for ${process.platform}-${process.arch}: install Node ${needed} or later yourself and run this again.`,
    );
  return brought;
}

/** node_modules belongs to one lockfile; a stamp inside tells which. */
function install(node, folder, what) {
  const stamp = join(folder, 'node_modules', '.countersign-lock');
  const digest = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  runQuietly(
    node,
    [npmCli(), 'ci', '--no-audit', '--no-fund', '--include=optional', '--include=dev', '--loglevel=error'],
    folder,
    what,
  );
  writeFileSync(stamp, digest);
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let latest = stat.mtimeMs;
  for (const name of readdirSync(path))
    if (name !== 'node_modules' && name !== 'dist') latest = Math.max(latest, newest(join(path, name)));
  return latest;
}

function build(node, always) {
  const gateway = join(root, 'dist', '.built');
  if (always || !existsSync(gateway) || newest(join(root, 'src')) > statSync(gateway).mtimeMs) {
    runQuietly(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], root, 'Building the gateway');
    writeFileSync(gateway, '');
  }
  const verifier = join(root, 'dist', 'verify.html');
  const parts = [join(root, 'web', 'verify'), join(root, 'src', 'ledger'), join(root, 'src', 'domain')];
  if (always || !existsSync(verifier) || Math.max(...parts.map(newest)) > statSync(verifier).mtimeMs) {
    runQuietly(node, ['web/verify/build.mjs'], root, 'Building the page that verifies');
  }
  const page = join(root, 'web', 'dist', 'index.html');
  if (
    always ||
    !existsSync(page) ||
    Math.max(newest(join(root, 'web')), newest(join(root, 'src', 'api', 'contract.ts'))) > statSync(page).mtimeMs
  ) {
    runQuietly(
      node,
      [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'error'],
      join(root, 'web'),
      'Building the console',
    );
  }
}

const [name, ...rest] = process.argv.slice(2);
const command = commands[name];
if (!command) fail(`unknown command ${name ?? '(none)'}; there are: ${Object.keys(commands).join(', ')}`);

const node = findNode();
install(node, root, 'Installing what package-lock.json names (about a minute the first time)');
if (command.packages)
  install(
    node,
    join(root, command.packages),
    `Installing the clients that ${command.packages}/package-lock.json names`,
  );
if (command.build) build(node, command.build === 'always');

const env = { ...command.settings, ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
for (const [index, step] of command.steps.entries()) {
  const args = [...step.slice(1), ...(index === command.steps.length - 1 ? rest : [])];
  const child = spawn(step[0] === 'node' ? node : join(root, step[0]), args, { cwd: root, env, stdio: 'inherit' });
  // Ctrl-C reaches the whole process group: the child ends itself and we pass on how.
  const wait = () => {};
  process.on('SIGINT', wait);
  const forward = () => child.kill('SIGTERM');
  process.on('SIGTERM', forward);
  const [code, signal] = await new Promise((done) => child.once('exit', (...how) => done(how)));
  process.off('SIGINT', wait);
  process.off('SIGTERM', forward);
  if (code !== 0) process.exit(code ?? (signal === 'SIGINT' ? 130 : 1));
}
