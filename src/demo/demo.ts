// `npm run demo`: everything embedded, until Ctrl-C. With --once the same story unattended, asserted, exit 0 or 1.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import { story } from './story.ts';
import { type AgentName, type Person, startWorld, type World } from './world.ts';

const agents: readonly AgentName[] = ['reporting-agent', 'migration-agent'];
const people: readonly Person[] = ['dana', 'omar'];
const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
const dim = (text: string) => styleText('dim', text, { stream: process.stdout });
const green = (text: string) => styleText('green', text, { stream: process.stdout });
const red = (text: string) => styleText('red', text, { stream: process.stdout });

/** Starts the embedded world, prints what to open and what to paste, and stays until it is told to stop. */
export async function demo(options: { folder: string }): Promise<void> {
  const folder = resolve(options.folder);
  rmSync(join(folder, 'policies'), { recursive: true, force: true });
  const stop = stopSignal();
  const world = await startWorld(folder, (what) => console.log(dim(`  starting ${what} …`)), 'usual');
  const writeTokens = async () => {
    for (const who of [...agents, ...people])
      writeFileSync(join(folder, 'tokens', who), await world.provider.tokenFor(who), { mode: 0o600 });
  };
  await writeTokens();
  const renewal = setInterval(() => void writeTokens().catch(() => {}), 600_000);
  writeFileSync(join(folder, 'ports.json'), `${JSON.stringify(world.ports)}\n`);
  introduce(world);
  await Promise.race([stop, new Promise<void>((ended) => world.gateway().once('exit', () => ended()))]);
  clearInterval(renewal);
  console.log('\nstopping …');
  await world.stop();
  console.log(
    `stopped. The record stays in ${relative(process.cwd(), join(folder, 'data')) || '.'}; check it with: ${verifyLine(folder)}`,
  );
}

/** Plays the story once against a world of its own. Resolves to the exit code. */
export async function demoOnce(): Promise<number> {
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'));
  console.log(bold('Countersign, the story in one go'));
  const world = await startWorld(folder, (what) => console.log(dim(`  starting ${what} …`)));
  console.log(dim(`  ready after ${((Date.now() - started) / 1000).toFixed(1)} s\n`));
  let failed = 0;
  try {
    for (const step of await story(world)) {
      try {
        const proof = await step.run();
        console.log(`${green('✓')} ${bold(step.title)}\n  ${proof}`);
      } catch (error) {
        failed++;
        console.log(`${red('✗')} ${bold(step.title)}\n  ${error instanceof Error ? error.message : String(error)}`);
        if (process.env.COUNTERSIGN_DEBUG && error instanceof Error) console.log(error.stack);
      }
    }
  } finally {
    await world.stop();
  }
  console.log(
    `\n${failed === 0 ? green('every step held') : red(`${failed} steps failed`)} in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
  if (failed === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`what it wrote is kept in ${folder}`);
  return failed === 0 ? 0 : 1;
}

function stopSignal(): Promise<void> {
  return new Promise((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
  });
}

function verifyLine(folder: string): string {
  const path = (name: string) => relative(process.cwd(), join(folder, 'data', name));
  return `npm run countersign -- verify ${path('ledger')} --key ${path('state/ledger.vkey')}`;
}

function introduce(world: World): void {
  const at = (...parts: string[]) => relative(process.cwd(), join(world.folder, ...parts));
  const line = (who: AgentName) =>
    `PGPASSWORD="$(cat ${at('tokens', who)})" psql "host=localhost port=${world.ports.tls} dbname=shop user=${who} sslmode=verify-full sslrootcert=${at('tls', 'ca.pem')}"`;
  console.log(`
${bold('Countersign is running.')} Paste one of these in another terminal, in this folder:

  ${bold('an agent with psql')}
    ${line('reporting-agent')}
  ${bold('without psql')}
    npm run demo:sql -- "select id, name, email, card from customers limit 3"

  ${bold('then try')}
    select id, name, email, card from customers limit 3;   ${dim('masked')}
    drop table customers;                                  ${dim('refused, and the connection goes on')}
    delete from orders where id = 7;                       ${dim('held until someone grants it')}

  ${bold('console')}  ${world.consoleUrl}
    sign in as ${bold('dana')} (dba, may grant) or ${bold('omar')} (owns migration-agent), password ${bold(world.provider.password)}

  ${bold('or approve in a terminal')}
    npm run countersign -- approvals list --url ${world.consoleUrl} --token-file ${at('tokens', 'dana')}

  ${bold('check the record')}
    ${verifyLine(world.folder)}

Ctrl-C stops everything.`);
}
