// countersign policy test: the cases that stand beside policies, and which rules have none.
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Difference } from '../policy/case.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { takesConfig } from './open-config.ts';
import { type FolderOption, openPolicies } from './open-policies.ts';
import { Exit, examples, type Io, printJson, printLine, tint } from './output.ts';

interface Options extends FolderOption {
  readonly coverage?: boolean;
}

interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly differences: readonly Difference[];
}

export function registerTest(policy: Command, io: Io): void {
  const command = takesConfig(policy.command('test [folder]'))
    .description(
      'run the cases in *.test.yaml beside the policies (exit 1 when a decision is not what its case expects)',
    )
    .option('--coverage', 'fail too when a rule has no case in which it decides, or none that says it does not')
    .option('--json', 'print the result as JSON')
    .action((folder: string | undefined, options: Options) => run({ ...options, ...(folder ? { folder } : {}) }, io));
  examples(command, [
    ['The cases of the configuration’s policies', 'countersign policy test'],
    ['Those of a folder, each rule twice', 'countersign policy test policies --coverage'],
    ['For a program', 'countersign policy test policies --json'],
  ]);
}

async function run(options: Options, io: Io): Promise<void> {
  const { folder, set } = await openPolicies(options, io);
  const [{ readdirSync }, { uncovered }] = await Promise.all([import('node:fs'), import('../policy/case.ts')]);
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.test.yaml'))
    .sort();
  if (files.length === 0)
    throw new Exit(2, `there is no *.test.yaml in ${folder}: docs/policy.md shows how to write one`);
  const results: CaseResult[] = [];
  const expectations = [];
  for (const file of files) {
    const found = await runFile(join(folder, file), set, io);
    results.push(...found.results.map((result) => ({ file, ...result })));
    expectations.push(...found.cases);
  }
  const failed = results.filter((result) => result.differences.length > 0);
  const missing = uncovered(set.rules.keys(), expectations);
  const lacking = options.coverage ? missing.positive.length + missing.negative.length : 0;
  if (options.json) {
    printJson(io, { ok: failed.length + lacking === 0, version: set.version, cases: results, uncovered: missing });
  } else {
    for (const { file, name, differences } of failed) {
      printLine(io, `${file}: ${name}`, 'red');
      for (const { what, expected, found } of differences) {
        printLine(io, `  ${what}`);
        io.stdout.write(`${tint(io, 'green', `    - ${expected}`)}\n${tint(io, 'red', `    + ${found}`)}\n`);
      }
    }
    printLine(io, `${results.length} cases, ${failed.length} failed`);
    if (options.coverage) {
      for (const rule of missing.positive) printLine(io, `${rule}: no case in which it decides (expect.rules)`, 'red');
      for (const rule of missing.negative) printLine(io, `${rule}: no case that says it does not (expect.not)`, 'red');
    }
  }
  if (failed.length + lacking > 0) throw new Exit(1);
}

async function runFile(path: string, set: PolicySet, io: Io) {
  const [{ caseFile, differences }, { explainMeaning, explainStatement }, { readMeaning }, { methodFor }] =
    await Promise.all([
      import('../policy/case.ts'),
      import('../policy/explain-statement.ts'),
      import('../policy/recorded.ts'),
      import('../config/masks.ts'),
    ]);
  const { readFileSync } = await import('node:fs');
  const { parse } = await import('yaml');
  const fail = (message: string) => new Exit(2, `${path}: ${message}`);
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fail((error as Error).message);
  }
  const read = caseFile.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw fail(`${issue!.path.join('.')}: ${issue!.message}`);
  }
  const file = read.data;
  const scope = await scopeOf(file, path);
  const masks = Object.fromEntries(
    Object.entries(file.masks).map(([label, of]) => [label, typeof of === 'string' ? { method: of } : of]),
  );
  const method = (label: string) => methodFor(masks, label);
  const results = file.cases.map((one) => {
    const principal = typeof one.as === 'string' ? file.principals[one.as] : one.as;
    if (!principal) throw fail(`${one.name}: there is no principal ${String(one.as)}`);
    const target = one.target ?? file.target;
    const question = {
      principal,
      target,
      ...(one.database === undefined ? {} : { database: one.database }),
      kind: one.kind,
      labels: file.labels.map(({ label }) => label),
      time: one.time === undefined ? io.now() : Date.parse(one.time),
    };
    if (one.statement !== undefined) {
      if (!scope) throw fail(`${one.name}: a statement needs a catalogue: name one, or write effects`);
      const explanation = explainStatement(set, one.statement, scope, question, method);
      return { name: one.name, differences: differences(one.expect, explanation) };
    }
    const meaning = readMeaning(
      { effects: one.effects!.map((row) => ({ ...row, resource: row.resource || target })) },
      target,
    );
    if (!meaning) throw fail(`${one.name}: an effect has an action that there is not`);
    return { name: one.name, differences: differences(one.expect, explainMeaning(set, meaning, question, method)) };
  });
  return { results, cases: file.cases };
}

async function scopeOf(
  file: { catalogue?: string | undefined; searchPath?: string[] | undefined; labels: readonly { label: string }[] },
  path: string,
) {
  if (file.catalogue === undefined) return undefined;
  const [{ readCatalogueFile }, { catalogueOf }, { loadParser }] = await Promise.all([
    import('./read-catalogue.ts'),
    import('../sql/catalogue-dump.ts'),
    import('../sql/parse.ts'),
  ]);
  await loadParser();
  const dump = await readCatalogueFile(join(dirname(path), file.catalogue));
  return {
    catalogue: catalogueOf(dump, file.labels),
    searchPath: file.searchPath ?? dump.searchPath,
    role: dump.role,
  };
}
