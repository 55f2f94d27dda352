// countersign ledger fsck: derives everything again and compares; --repair mends what is derived, and nothing else.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Finding } from '../ledger/finding.ts';
import type { FsckReport } from '../ledger/fsck.ts';
import { type ConfigOption, openConfig, takesConfig } from './open-config.ts';
import { Exit, examples, type Io, printJson, printLine } from './output.ts';

interface Options extends ConfigOption {
  readonly repair?: boolean;
  readonly recordings: boolean;
  readonly json?: boolean;
}

type Report = FsckReport & { readonly store?: number; readonly repaired?: readonly Finding[] };

/** Findings that are printed; --json has all of them. */
const shown = 50;
const everyMs = 1_000;

export function registerFsck(ledger: Command, io: Io): void {
  const fsck = takesConfig(ledger.command('fsck'))
    .description('derive everything again from the journal and name all that disagrees; runs beside a live gateway')
    .option('--repair', 'mend what is derived, and put a torn end aside; the gateway must be stopped')
    .option('--no-recordings', 'leave the recordings out')
    .option('--json', 'print the report as JSON')
    .action((options: Options) => check(options, io));
  examples(fsck, [
    ['Look, and change nothing', 'countersign ledger fsck --config countersign.yaml'],
    ['Mend what can be mended, with the gateway stopped', 'countersign ledger fsck --repair'],
    ['For a program', 'countersign ledger fsck --json'],
  ]);
}

async function check(options: Options, io: Io): Promise<void> {
  const config = await openConfig(options, io);
  const [{ dataPaths }, { fsck }, { repairLedger }, { storePosition }] = await Promise.all([
    import('../config/config.ts'),
    import('../ledger/fsck.ts'),
    import('../ledger/repair.ts'),
    import('../store/position.ts'),
  ]);
  const paths = dataPaths(config);
  for (const path of [paths.ledger, paths.state]) {
    if (!existsSync(path))
      throw new Exit(2, `there is no folder ${path}: point data in the configuration at the ledger`);
  }
  const place = {
    folder: paths.ledger,
    state: paths.state,
    signing: paths.signing,
    earlier: paths.earlier,
    ...(options.recordings && existsSync(paths.recordings) ? { recordings: paths.recordings } : {}),
    progress: progressTo(io),
  };
  const found: Report = options.repair ? await repairLedger(place) : await fsck(place);
  // The store counts over all logs of a chain.
  const report = withStore(found, paths.earlier.length > 0 ? undefined : storePosition(paths.store));
  if (options.json) printJson(io, report);
  else print(report, io);
  if (!report.ok) throw new Exit(1);
}

/** The store follows the ledger; one that is ahead has seen entries that are gone. */
function withStore(report: Report, store: number | undefined): Report {
  if (store === undefined) return report;
  if (report.heldBy !== undefined || store <= report.entries) return { ...report, store };
  const finding: Finding = {
    file: 'store.sqlite',
    what: `the store shows ${store} entries, the journal holds ${report.entries}`,
    meaning:
      'The end of the ledger was cut off, or the store is of another one. The store is built again at the next start.',
  };
  return { ...report, store, ok: false, findings: [...report.findings, finding] };
}

/** One line a second on standard error, where a person waits. */
function progressTo(io: Io): (entries: number) => void {
  let last = io.now();
  return (entries) => {
    if (!io.stderr.isTTY || io.now() - last < everyMs) return;
    last = io.now();
    io.stderr.write(`\r${entries.toLocaleString('en')} entries `);
  };
}

function print(report: Report, io: Io): void {
  if (io.stderr.isTTY) io.stderr.write('\r');
  const { checked, findings, repaired = [] } = report;
  printLine(
    io,
    report.ok ? 'everything agrees' : `${findings.length} ${findings.length === 1 ? 'thing' : 'things'} wrong`,
  );
  printLine(io, `  log         ${report.origin}`);
  printLine(io, `  entries     ${report.entries}, ${report.signed} of them under the checkpoint signed last`);
  printLine(
    io,
    `  compared    ${checked.segments} segments, ${checked.tiles} tile files, ${checked.recordings} recordings, ${checked.keys} keys`,
  );
  if (checked.destroyedKeys > 0) printLine(io, `  destroyed   ${checked.destroyedKeys} of the keys are no more`);
  if (report.store !== undefined) printLine(io, `  store       follows up to entry ${report.store}`);
  for (const note of report.notes) printLine(io, `  note        ${note}`);
  for (const { file, what } of repaired) printLine(io, `  mended      ${file}: ${what}`, 'green');
  for (const { file, index, what, meaning, repair } of findings.slice(0, shown)) {
    printLine(io);
    printLine(io, `${file}${index === undefined ? '' : `, entry ${index}`}: ${what}`, 'red');
    printLine(io, `  ${meaning}`);
    printLine(io, `  ${repair ? advice[repair] : 'Not to be mended by a program.'}`);
  }
  if (findings.length > shown) printLine(io, `and ${findings.length - shown} more: --json has all of them`);
}

const advice = {
  rebuild: 'countersign ledger fsck --repair builds it again.',
  publish: 'countersign ledger fsck --repair publishes it again, as a start of the gateway does.',
  aside: 'countersign ledger fsck --repair puts it aside, as a start of the gateway does.',
} as const;
