// A verification report for people to read.
import type { Gaps } from './silence.ts';
import type { VerifyReport } from './verify.ts';
import type { ChainReport } from './verify-chain.ts';

/** The report as text, ending in a newline. Control characters in what it quotes are made visible. */
export function verifySummary(report: VerifyReport): string {
  const lines: string[] = [];
  const { failure } = report;
  lines.push(failure ? 'NOT VERIFIED' : 'Verified');
  lines.push('');
  if (failure) {
    lines.push(`  First thing wrong   ${failure.what}`);
    lines.push(`  Where               ${failure.file}${failure.index === undefined ? '' : `, entry ${failure.index}`}`);
    lines.push(`  What it means       ${failure.meaning}`);
    lines.push('', 'Until there:', '');
  }
  lines.push(`  Log                 ${report.origin}`);
  lines.push(`  Under checkpoint    ${report.size} entries, root ${report.root}`);
  if (report.notYetUnderCheckpoint > 0) {
    lines.push(`  Not yet under one   ${report.notYetUnderCheckpoint} entries, covered by the journal's own chain`);
  }
  if (report.from !== undefined && report.to !== undefined) {
    lines.push(`  Period              ${new Date(report.from).toISOString()} to ${new Date(report.to).toISOString()}`);
  }
  const { opened, open, sealed, orphaned } = report.sessions;
  lines.push(`  Sessions            ${opened} opened: ${sealed} sealed, ${open} open, ${orphaned} cut off by a crash`);
  lines.push(`  Gateway starts      ${report.boots}`);
  lines.push(...gapLines(report.gaps));
  const { keys, sessions, holds } = report.shredded;
  if (keys > 0)
    lines.push(`  Shredded            ${keys} keys, ${sessions} sessions; their proofs are part of the above`);
  if (holds > 0) lines.push(`  Holds in force      ${holds}`);
  if (report.keysCompared) lines.push('  Keys                none is gone without an entry');
  if (report.continued > 0) lines.push(`  Kept checkpoints    ${report.continued}, continued by this log`);
  if (report.pinned > 0 && report.pinned < report.entries) {
    lines.push(`  Pinned by those     ${report.pinned} entries; for what follows there is the word of the key alone`);
  }
  if (report.predecessor) lines.push(`  Continues           ${report.predecessor.origin}`);
  if (report.successor) {
    lines.push(`  Continued by        ${report.successor.origin} (${report.successor.reason})`);
    if (report.successor.reason === 'compromised' && report.pinned < report.entries)
      lines.push('                      Its key was stolen: believe what a kept checkpoint or a witness pins');
  }
  const newest = report.stamped.at(-1);
  if (newest) {
    const many = `${report.stamped.length}, the newest of ${newest.size} entries at ${new Date(newest.at).toISOString()}`;
    lines.push(`  Time stamps         ${many}`);
  }
  if (report.content) {
    const { opened, erased } = report.content;
    lines.push(`  Payloads            ${opened} opened and as committed, ${erased} erased`);
  }
  for (const { name, at } of report.witnessed?.by ?? []) {
    lines.push(
      `  Witnessed           ${report.witnessed!.size} entries by ${name} at ${new Date(at * 1000).toISOString()}`,
    );
  }
  if (report.recordings !== undefined) lines.push(`  Recordings          ${report.recordings} checked`);
  lines.push('', '  Entries by type');
  for (const [type, count] of Object.entries(report.types).sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`    ${type.padEnd(20)}${String(count).padStart(10)}`);
  }
  return `${lines.map(visible).join('\n')}\n`;
}

function gapLines({ listed, silent, down }: Gaps): string[] {
  const words = { silent: 'no heartbeat', stopped: 'stopped in order', crashed: 'ended without a stop' };
  const at = (ms: number) => new Date(ms).toISOString();
  const lines = [
    `  Heartbeats          ${silent === 0 ? 'none late' : `${silent} gaps of more than three intervals`}`,
    `  Not running         ${down} times between starts`,
    ...listed.map((gap) => `    ${at(gap.from)} to ${at(gap.to)}  ${words[gap.kind]} (entry ${gap.entry})`),
  ];
  const more = silent + down - listed.length;
  return more > 0 ? [...lines, `    and ${more} more`] : lines;
}

/** The same for logs that continue each other. */
export function chainSummary({ failure, logs, recordings }: ChainReport): string {
  const lines = [failure ? 'CHAIN NOT VERIFIED' : `Verified: ${logs.length} logs that continue each other`];
  if (failure) {
    lines.push(`  First thing wrong   ${failure.what}`);
    lines.push(
      `  Where               ${failure.log}: ${failure.file}${failure.index === undefined ? '' : `, entry ${failure.index}`}`,
    );
    lines.push(`  What it means       ${failure.meaning}`);
  }
  if (recordings !== undefined) lines.push(`  Recordings          ${recordings} checked`);
  return `${lines.map(visible).join('\n')}\n\n${logs.map(verifySummary).join('\n')}`;
}

/** A text with its control and format characters written out, so that nothing in it acts or hides. */
export function visible(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
