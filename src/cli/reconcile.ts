// countersign reconcile: a target's own records against the ledger (docs/reconcile.md).
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import type { LogSettings } from '../reconcile/findings.ts';
import type { AskTarget } from '../reconcile/from-server.ts';
import type { LogSource } from '../reconcile/log-files.ts';
import type { RecordedTarget } from '../reconcile/recorded-sessions.ts';
import type { Reconciled } from '../reconcile/result.ts';
import { type ApiChoice, openClient, takesApi } from './api-client.ts';
import { collect, timeOf, when, wholeNumber } from './arguments.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson } from './output.ts';
import { targetNamed } from './read-catalogue.ts';
import { printReconciled } from './reconcile-words.ts';

interface Options extends ConfigOption, ApiChoice {
  readonly log: readonly string[];
  readonly fromServer?: boolean;
  readonly live?: boolean;
  readonly calls?: boolean;
  readonly from?: number | Date;
  readonly to?: number | Date;
  readonly expect: readonly string[];
  readonly ignorePort?: boolean;
  readonly skew: number;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly record?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, io: Io): void {
  const reconcile = takesApi(takesConfig(program.command('reconcile')))
    .description('compare what a target itself recorded with the ledger (exit 1 when something is only in the target)')
    .argument('<target>', 'target of the configuration')
    .option('-l, --log <path>', 'csvlog or jsonlog file, or a folder of them, .gz too; repeatable', collect, [])
    .option('--from-server', 'read the settings of the log through the database, and without --log the log itself')
    .option('--live', 'also who is connected right now (pg_stat_activity)')
    .option('--calls', 'also how often each kind of statement ran (pg_stat_statements)')
    .option('--from <when>', 'from then on: 90m, 12h, 30d before now, or a time such as 2026-01-31T00:00Z', when)
    .option('--to <when>', 'up to then', when)
    .option(
      '-e, --expect <role>',
      'role, or role@database, that may sign in beside the gateway; repeatable',
      collect,
      [],
    )
    .option('--ignore-port', 'something in between changes ports (address translation)')
    .option('--skew <seconds>', 'how far the clocks may differ', wholeNumber, 300)
    .option('--user <role>', 'role to ask the target with (default: that of the gateway)')
    .option('--password-file <path>', 'its password')
    .option('--record', 'have the gateway record the result; needs --url and a token of an administrator')
    .option('--json', 'print JSON')
    .action((target: string, options: Options) => run(target, options, io));
  examples(reconcile, [
    ['A week of the server’s log', 'countersign reconcile shop --log /var/log/postgresql --from 7d'],
    [
      'What the server says now, with a monitoring role of its own',
      'countersign reconcile shop --from-server --live --calls --user monitor --password-file monitor.pw --expect monitor',
    ],
    ['On record, for evidence', 'countersign reconcile shop --log logs --record --url https://gateway.example.org'],
  ]);
}

async function run(name: string, options: Options, io: Io): Promise<void> {
  if (options.log.length === 0 && !options.fromServer && !options.live && !options.calls)
    throw new Exit(2, 'say what to compare with: --log, --from-server, --live or --calls');
  const config = await openConfig(options, io);
  const target = targetNamed(config, name);
  const [{ loadParser }, { LogRefused, logFiles }] = await Promise.all([
    import('../sql/parse.ts'),
    import('../reconcile/log-files.ts'),
  ]);
  await loadParser();
  const asking = options.fromServer || options.live || options.calls ? await ask(target, options) : undefined;
  try {
    const settings = options.fromServer ? await settingsOf(asking!.query) : undefined;
    let log: LogSource[] | undefined;
    if (options.log.length > 0) log = options.log.flatMap((path) => logFiles(path));
    else if (options.fromServer) log = await (await import('../reconcile/from-server.ts')).serverLog(asking!.query);
    const result = await compare({ target, config, options, io, log, settings, query: asking?.query });
    if (options.record) {
      const { id } = await openClient(options, io).post<{ id: number }>(
        `/api/targets/${encodeURIComponent(target.name)}/reconciliations`,
        (await import('../reconcile/result.ts')).forRecord(result),
      );
      if (!options.json) io.stderr.write(`recorded as entry ${id}\n`);
    }
    if (options.json) printJson(io, result);
    else printReconciled(io, result);
    if (!result.ok) throw new Exit(1);
  } catch (error) {
    if (error instanceof LogRefused) throw new Exit(2, error.message);
    throw error;
  } finally {
    asking?.close();
  }
}

interface Comparing {
  readonly target: Config['targets'][number];
  readonly config: Config;
  readonly options: Options;
  readonly io: Io;
  readonly log: readonly LogSource[] | undefined;
  readonly settings: LogSettings | undefined;
  readonly query: AskTarget | undefined;
}

async function compare({ target, config, options, io, log, settings, query }: Comparing): Promise<Reconciled> {
  const now = io.now();
  const { name, databases } = target;
  const common = {
    role: target.credential.user,
    databases,
    expected: options.expect,
    ignorePort: options.ignorePort ?? false,
  };
  const live = options.live ? await compareLive(query!, common, () => readLedger(config, name)) : undefined;
  // Counts first: what is sent after them is only in the ledger, which is no finding.
  const calls = options.calls ? await readCalls(query!, common.role) : undefined;
  const ledger = await readLedger(config, name);
  const { reconcile } = await import('../reconcile/reconcile.ts');
  const compared =
    log &&
    (await reconcile({
      ...common,
      target: name,
      log,
      ledger,
      skewMs: options.skew * 1_000,
      ...(options.from ? { from: timeOf(options.from, now) } : {}),
      ...(options.to ? { to: timeOf(options.to, now) } : {}),
      ...(settings ? { settings } : {}),
    }));
  let counted: Reconciled['calls'];
  if (calls) {
    const [{ compareCalls }, { catalogueTexts }, { readingTexts }] = await Promise.all([
      import('../reconcile/calls.ts'),
      import('../protocols/postgres/catalogues.ts'),
      import('../protocols/postgres/conversation-reading.ts'),
    ]);
    counted = compareCalls(calls.rows, ledger, {
      databases,
      since: calls.since,
      skewMs: options.skew * 1_000,
      own: [...catalogueTexts, ...readingTexts],
    });
  }
  const ok =
    compared?.ok !== false && (live?.foreign.length ?? 0) === 0 && !(counted?.judged && counted.more.length > 0);
  return {
    target: name,
    at: now,
    ok,
    ...(compared ? { log: compared } : {}),
    ...(live ? { live } : {}),
    ...(counted ? { calls: counted } : {}),
  };
}

/** The whole ledger: it is read as it is, and `verify` says whether it may be believed. */
async function readLedger(config: Config, target: string): Promise<RecordedTarget> {
  const [
    { dataPaths },
    { openKeyring },
    { openKeyProvider },
    { readJournal },
    { readRecordedSessions },
    { existsSync },
  ] = await Promise.all([
    import('../config/config.ts'),
    import('../ledger/keyring.ts'),
    import('../keys/open-provider.ts'),
    import('../ledger/read-journal.ts'),
    import('../reconcile/recorded-sessions.ts'),
    import('node:fs'),
  ]);
  const paths = dataPaths(config);
  if (!existsSync(paths.ledger))
    throw new Exit(2, `there is no ledger in ${paths.ledger}: run this where the gateway's data folder is`);
  const provider = openKeyProvider({ state: paths.state, origin: config.gateway.origin, keys: config.ledger.keys });
  const keys = openKeyring(paths.state, provider);
  try {
    const recorded = readRecordedSessions(target);
    // A log that was rotated is continued by another: they are read as one.
    for (const folder of [...paths.earlier, paths.ledger])
      for await (const item of readJournal(folder, 0, keys)) recorded.entry(item);
    return recorded.end();
  } finally {
    keys.close();
  }
}

async function ask(target: Config['targets'][number], options: Options) {
  const [{ openTarget }, { dialTarget }, { openOwnConnection, ownLink }, { secret }] = await Promise.all([
    import('../bin/configured.ts'),
    import('../targets/dial.ts'),
    import('../protocols/postgres/own-connection.ts'),
    import('../targets/secret.ts'),
  ]);
  const { credential, tls } = openTarget(target);
  const { user, passwordFile } = options;
  const as = user
    ? {
        ...credential,
        user,
        password: async () => (passwordFile === undefined ? undefined : secret({ file: passwordFile })),
      }
    : credential;
  const dial = async () => ownLink(await dialTarget({ host: target.host, port: target.port }), as, tls);
  return openOwnConnection(dial, { database: target.database, deadlineMs: target.loginSeconds * 1_000 });
}

async function settingsOf(query: AskTarget): Promise<LogSettings> {
  return (await import('../reconcile/from-server.ts')).readLogSettings(query);
}

/** Milliseconds that a session has between its login and its record. */
const grace = 2_000;

async function compareLive(
  query: AskTarget,
  common: { role: string; databases: readonly string[]; expected: readonly string[]; ignorePort: boolean },
  ledger: () => Promise<RecordedTarget>,
) {
  const { activityQuery, compareActivity, openProcesses, readActivity } = await import('../reconcile/activity.ts');
  const look = async () =>
    compareActivity(readActivity(await query(activityQuery)), openProcesses((await ledger()).sessions), common);
  const first = await look();
  if (first.foreign.length === 0) return first;
  await new Promise((resolve) => setTimeout(resolve, grace));
  const second = await look();
  const before = new Set(first.foreign.map(({ pid, started }) => `${pid} ${started}`));
  return { ...second, foreign: second.foreign.filter(({ pid, started }) => before.has(`${pid} ${started}`)) };
}

async function readCalls(query: AskTarget, role: string) {
  const { callsQuery, callsSinceQuery } = await import('../reconcile/calls.ts');
  try {
    const [[since = '0'] = []] = await query(callsSinceQuery);
    return { since: Number(since), rows: await query(callsQuery(role)) };
  } catch (error) {
    printNothing(error);
    throw new Exit(
      2,
      'pg_stat_statements cannot be read in this database: create the extension there, or leave --calls out',
    );
  }
}

function printNothing(error: unknown): void {
  // A connection that is lost is told as such.
  if ((error as { code?: string }).code === 'target.unreachable') throw error;
}
