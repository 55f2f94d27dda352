// countersign demo: everything embedded, for a first look.
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { examples, Exit, type Io } from './output.ts';

interface DemoOptions {
  readonly once?: boolean;
  readonly fresh?: boolean;
  readonly folder: string;
}

export function register(program: Command, io: Io): void {
  const demo = program
    .command('demo')
    .description('start a PostgreSQL with sample data, an identity provider, the gateway and its console, all embedded')
    .option('--once', 'play the story unattended, assert every step, and end with 0 or 1')
    .option('--fresh', 'forget what an earlier demo left: ledger, recordings, keys')
    .option('--folder <path>', 'where the demo keeps what it writes', '.demo')
    .action(async (options: DemoOptions) => {
      // Loaded here: its packages are optional and no other command needs them.
      const { demo: run, demoOnce } = await import('../demo/demo.ts');
      if (options.once) {
        const code = await demoOnce();
        if (code !== 0) throw new Exit(1, '');
        return;
      }
      if (options.fresh) rmSync(join(resolve(options.folder), 'data'), { recursive: true, force: true });
      await run({ folder: options.folder });
    });
  const sql = demo
    .command('sql')
    .description('run a statement as an agent through the running demo, without psql')
    .argument('<statement>', 'SQL text')
    .option('--as <agent>', 'reporting-agent or migration-agent', 'reporting-agent')
    .option('--folder <path>', 'where the demo keeps what it writes', '.demo')
    .action(async (statement: string, options: { readonly as: string; readonly folder: string }) => {
      const { runSql } = await import('../demo/sql.ts');
      if (!(await runSql(statement, options, io))) throw new Exit(1, '');
    });
  examples(demo, [
    ['Start it, until Ctrl-C', 'countersign demo'],
    ['Play the story and check it', 'countersign demo --once'],
  ]);
  examples(sql, [['Ask as an agent', 'countersign demo sql "select id, name, email from customers limit 3"']]);
}
