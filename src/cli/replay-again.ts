// countersign replay --policy, --sandbox: a recorded session decided again under other policies, and run again on a throw-away
// database, from the ledger's files and keys. What differs is listed; nothing of it reaches a target.
import { existsSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { dataPaths } from '../config/config.ts';
import { methodFor } from '../config/masks.ts';
import type { Decision, Masks } from '../domain/decision.ts';
import type { Mask } from '../domain/mask.ts';
import { openKeyProvider } from '../keys/open-provider.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { compileMask } from '../masking/method.ts';
import { maskSummary } from '../policy/mask-summary.ts';
import { openPolicy, type Policy } from '../policy/policy.ts';
import { type Asking, readAnswers, type RecordedAnswer } from '../protocols/postgres/replay-answers.ts';
import { openSandboxRun, type SandboxRun } from '../protocols/postgres/sandbox-run.ts';
import { readRecording } from '../recordings/reading.ts';
import { segment } from './api-client.ts';
import { type ConfigOption, openConfig } from './open-config.ts';
import { readPolicies } from './open-policies.ts';
import { Exit, type Io, printJson, printLine } from './output.ts';
import { compareAnswers, volatileIn } from './replay-compare.ts';
import { type PastSession, type PastStatement, readPastSession } from './replay-record.ts';
import { embeddedServer, openSandbox, refuseTargets, type Sandbox, serverOf } from './sandbox.ts';

export interface AgainChoice extends ConfigOption {
  readonly sandbox?: boolean;
  readonly server?: string;
  readonly schema: readonly string[];
  readonly policy?: string;
  readonly json?: boolean;
}

export interface AgainStatement {
  readonly sequence: number;
  readonly text: string;
  readonly before: string;
  /** Under the other policies; absent without. */
  readonly after?: { readonly ruling: string; readonly rules: readonly string[]; readonly reason?: string };
  readonly masksBefore: readonly string[];
  readonly masksAfter?: readonly string[];
  readonly run?: 'same' | 'different' | 'not run';
  readonly differences: readonly string[];
  readonly notes: readonly string[];
}

export interface AgainReport {
  readonly session: string;
  readonly target: string;
  readonly database: string;
  readonly policy?: string;
  readonly decided: number;
  readonly decidedOtherwise: number;
  readonly same: number;
  readonly different: number;
  readonly notRun: number;
  /** Statements whose content was erased. */
  readonly lost: number;
  readonly statements: readonly AgainStatement[];
}

const longestStatement = 60_000;

/** Exits with 1 when a decision or an outcome differs. */
export async function again(id: string, choice: AgainChoice, io: Io): Promise<void> {
  const config = await openConfig(choice, io);
  const report = await reportOf(segment(id), choice, config, io);
  if (choice.json) printJson(io, report);
  else print(report, choice, io);
  if (report.different + report.decidedOtherwise > 0) throw new Exit(1);
}

async function reportOf(id: string, choice: AgainChoice, config: Config, io: Io): Promise<AgainReport> {
  const paths = dataPaths(config);
  if (!existsSync(paths.ledger))
    throw new Exit(2, `there is no ledger in ${paths.ledger}: run this where the gateway's data folder is`);
  const policies = choice.policy === undefined ? undefined : await readPolicies(choice.policy, config, choice, io);
  const policy = policies && openPolicy(policies.set, { methodFor: (label) => methodFor(config.masks, label) });
  const { origin } = config.gateway;
  const keys = openKeyring(paths.state, openKeyProvider({ state: paths.state, origin, keys: config.ledger.keys }));
  try {
    const session = await readPastSession([...paths.earlier, paths.ledger], keys, id);
    if (!session) throw new Exit(1, `no session ${id} is in the ledger of ${config.data}`);
    const decided = session.statements.map((past) => decide(past, policy));
    if (choice.sandbox) {
      const asking = askingOf(session, decided);
      const answers = await readAnswers(readRecording(paths.recordings, id, keys), asking);
      await inSandbox(choice, config, io, (sandbox) =>
        runAll(sandbox, decided, answers, maskKeyOf(paths.state), policy !== undefined),
      );
    }
    return summary(id, session, choice, decided);
  } finally {
    keys.close();
  }
}

/** A statement on its way: what was decided then and now, and what came of running it. */
interface Decided {
  readonly past: PastStatement;
  readonly decision: Decision | undefined;
  /** Masked columns of each result, then or now. */
  readonly hidden: (result: number) => ReadonlySet<number>;
  readonly masks: Masks;
  run?: AgainStatement['run'];
  differences: string[];
  notes: string[];
}

function decide(past: PastStatement, policy: Policy | undefined): Decided {
  const { kind, meaning, at, standpoint, masks: rows } = past.recorded;
  const decision = policy?.view(standpoint).decide(kind, meaning, at);
  const now = decision && decision.ruling !== 'deny' ? decision.masks : undefined;
  const hidden = new Map<number, Set<number>>();
  for (const { result, column } of [...rows, ...maskSummary(now ?? [])])
    hidden.set(result, (hidden.get(result) ?? new Set()).add(column));
  return {
    past,
    decision,
    hidden: (result) => hidden.get(result) ?? none,
    masks: now ?? masksBefore(past),
    differences: [],
    notes: [],
  };
}

const none: ReadonlySet<number> = new Set();

/** The masks that a record names, for as many columns as it had. */
function masksBefore({ recorded: { masks, meaning } }: PastStatement): Masks {
  return meaning.results.map((outputs, result) =>
    outputs.map((_, column): Mask | null => {
      const row = masks.find((one) => one.result === result && one.column === column);
      if (!row) return null;
      const { label, method, whole, parameter } = row;
      return { label, method, whole, ...(parameter === undefined ? {} : parameterOf(method, parameter)) };
    }),
  );
}

function parameterOf(method: Mask['method'], parameter: string): Partial<Mask> {
  switch (method) {
    case 'partial':
      return { keep: Number(parameter) };
    case 'bucket':
      return { size: Number(parameter) };
    case 'constant':
      return { value: parameter };
    case 'date':
      return { to: parameter as NonNullable<Mask['to']> };
    default:
      return {};
  }
}

/** Which statements have an answer in the recording. */
function askingOf({ statements }: PastSession, decided: readonly Decided[]): Map<number, Asking> {
  const asking = new Map<number, Asking>();
  for (const [index, { recorded, ruling, parameters, outcome }] of statements.entries()) {
    const { kind, sequence, text } = recorded;
    const denied = ruling === 'deny';
    const answered = outcome !== undefined && outcome.status !== 'skipped';
    const asked =
      kind === 'execute' ? denied || answered : kind === 'prepare' && (denied || outcome?.status === 'failed');
    if (!asked) continue;
    const whole = kind === 'execute' && (parameters === undefined || isCall(text));
    const { hidden } = decided[index] as Decided;
    asking.set(sequence, { sequence, text, whole, rows: outcome?.rows ?? 0, hidden });
  }
  return asking;
}

const isCall = (text: string): boolean => /\/\* function call message, OID \d+ \*\/$/.test(text);

/** The key of hashes and tokens, so that they are the same as then; where it is not, any. */
function maskKeyOf(state: string): Buffer {
  const path = join(state, 'mask.key');
  return existsSync(path) ? readFileSync(path) : randomBytes(32);
}

async function inSandbox(
  choice: AgainChoice,
  config: Config,
  io: Io,
  work: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const embedded = choice.server === undefined ? await embeddedServer() : undefined;
  try {
    const server = embedded?.server ?? serverOf(choice.server ?? '', io.env);
    await refuseTargets(server, config.targets);
    const sandbox = await openSandbox(server, choice.schema);
    try {
      await work(sandbox);
    } finally {
      await sandbox.drop();
    }
  } finally {
    await embedded?.stop();
  }
}

async function runAll(
  sandbox: Sandbox,
  decided: readonly Decided[],
  answers: ReadonlyMap<number, RecordedAnswer>,
  maskKey: Buffer,
  underPolicy: boolean,
): Promise<void> {
  const run = await openSandboxRun(await sandbox.dial(), {
    database: sandbox.database,
    runMs: longestStatement,
    compileMask: (mask, type, format) => compileMask(mask, type, format, maskKey),
  });
  try {
    for (const one of decided) await runOne(run, one, answers.get(one.past.recorded.sequence), sandbox, underPolicy);
  } finally {
    run.close();
  }
}

async function runOne(
  run: SandboxRun,
  one: Decided,
  recorded: RecordedAnswer | undefined,
  sandbox: Sandbox,
  underPolicy: boolean,
): Promise<void> {
  const { past, decision } = one;
  const { text, kind } = past.recorded;
  if (kind !== 'execute') return;
  const reason = notRun(past, decision, recorded, underPolicy);
  if (reason !== undefined) {
    one.run = 'not run';
    one.notes.push(reason);
    // A refusal fails the transaction that it stands in, as it did in the session.
    if (run.status === 'T' && (past.ruling === 'deny' || (decision && decision.ruling !== 'permit')))
      await run.run({ text: 'countersign: refused', hidden: () => none, limits: () => 0 });
    return;
  }
  const now = await run.run({
    text,
    ...(past.parameters ? { parameters: past.parameters } : {}),
    ...(recorded?.copyIn ? { copyIn: recorded.copyIn } : {}),
    hidden: one.hidden,
    limits: (result) => recorded?.results[result]?.held ?? Number.POSITIVE_INFINITY,
    masks: one.masks,
  });
  const { outcome } = past;
  if (!outcome || past.ruling === 'deny') {
    one.run = 'different';
    one.differences.push(`denied then, ${now.code ?? now.tags.at(-1) ?? 'run'} now`);
    return;
  }
  const compared = compareAnswers(outcome, recorded, now, (result) => one.hidden(result).size);
  one.run = compared.differences.length > 0 ? 'different' : 'same';
  one.differences.push(...compared.differences);
  one.notes.push(...compared.notes);
  const volatile = volatileIn(text, sandbox.volatile);
  if (volatile.length > 0) one.notes.push(`may differ each time: ${volatile.join(', ')}`);
  if (past.parameters?.some((value) => / \(\d+ bytes\)$/.test(value ?? '')))
    one.notes.push('the record holds the beginning of a long parameter only');
}

/** Why a statement is not run; undefined when it is. */
function notRun(
  { ruling, outcome, parameters, recorded: { text } }: PastStatement,
  decision: Decision | undefined,
  recorded: RecordedAnswer | undefined,
  underPolicy: boolean,
): string | undefined {
  if (underPolicy && decision?.ruling !== 'permit') return `the other policies ${decision?.ruling} it`;
  if (!underPolicy && ruling !== 'permit') return 'it was not permitted';
  if (ruling === 'permit' && (!outcome || outcome.status === 'skipped')) return 'it was not sent';
  if (outcome?.status === 'lost') return 'nobody saw how it ended';
  if (outcome?.status === 'cancelled') return 'it was cancelled';
  if (text.includes("'***'") || parameters?.includes('***')) return 'values of it are masked in the record';
  if (isCall(text)) return 'it was a function call message';
  if (recorded?.copyInLost) return 'the recording does not hold the data that was copied in';
  return undefined;
}

function summary(id: string, session: PastSession, choice: AgainChoice, decided: readonly Decided[]): AgainReport {
  const statements = decided.map(({ past, decision, run, differences, notes }): AgainStatement => {
    const { recorded } = past;
    const labels = (rows: readonly { label: string; method: string; result: number; column: number }[]) =>
      rows.map(({ label, method, column }) => `column ${column + 1}: ${label} (${method})`);
    return {
      sequence: recorded.sequence,
      text: recorded.text,
      before: recorded.ruling,
      masksBefore: labels(recorded.masks),
      ...(decision && {
        after: {
          ruling: decision.ruling,
          rules: decision.rules,
          ...(decision.ruling === 'deny' ? { reason: decision.reason } : {}),
        },
        masksAfter: decision.ruling === 'deny' ? [] : labels(maskSummary(decision.masks)),
      }),
      ...(run && { run }),
      differences,
      notes,
    };
  });
  const count = (run: AgainStatement['run']) => statements.filter((one) => one.run === run).length;
  return {
    session: id,
    target: session.target,
    database: session.database,
    ...(choice.policy === undefined ? {} : { policy: choice.policy }),
    decided: statements.length,
    decidedOtherwise: statements.filter(isOtherwise).length,
    same: count('same'),
    different: count('different'),
    notRun: count('not run'),
    lost: session.lost,
    statements,
  };
}

function isOtherwise({ before, after, masksBefore, masksAfter }: AgainStatement): boolean {
  if (!after) return false;
  return before !== after.ruling || (after.ruling !== 'deny' && masksBefore.join() !== (masksAfter ?? []).join());
}

function print(report: AgainReport, choice: AgainChoice, io: Io): void {
  printLine(io, `Session ${report.session} on ${report.target}/${report.database}`, 'bold');
  for (const one of report.statements) {
    const otherwise = isOtherwise(one);
    const quiet = !otherwise && one.differences.length === 0 && one.notes.length === 0;
    const what = [
      one.after && otherwise ? `${one.before} → ${one.after.ruling}` : one.before,
      ...(one.run ? [one.run] : []),
    ].join(', ');
    const tone = otherwise || one.run === 'different' ? 'red' : quiet ? 'dim' : undefined;
    printLine(io, `#${one.sequence} ${what}: ${one.text.replaceAll('\n', ' ')}`, tone);
    if (one.after && otherwise) {
      if (one.after.rules.length > 0) printLine(io, `    by ${one.after.rules.join(', ')}`);
      if (one.after.reason) printLine(io, `    ${one.after.reason}`);
      const masks = (list: readonly string[]) => list.join('; ') || 'none';
      if (one.masksBefore.join() !== (one.masksAfter ?? []).join())
        printLine(io, `    masks: ${masks(one.masksBefore)} → ${masks(one.masksAfter ?? [])}`);
    }
    for (const difference of one.differences) printLine(io, `    ${difference}`, 'red');
    for (const note of one.notes) printLine(io, `    ${note}`, 'yellow');
  }
  if (report.lost > 0) printLine(io, `${report.lost} statements were erased and cannot be read`, 'yellow');
  if (choice.policy !== undefined)
    printLine(io, `${report.decided} statements decided again, ${report.decidedOtherwise} otherwise`, 'bold');
  if (choice.sandbox)
    printLine(io, `${report.same} the same, ${report.different} different, ${report.notRun} not run`, 'bold');
}
