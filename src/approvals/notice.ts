// What people are told of a held statement, as plain text that every channel shows in its own form. Pure.
import { unusual, visible } from '../domain/safe-text.ts';
import type { Approval } from './approval.ts';

export interface Notice {
  /** It waits, it still waits, it ended, or more wait than were told one by one. */
  readonly kind: 'asked' | 'reminder' | 'resolved' | 'more';
  /** Distinct for each message, the same when one is sent again. */
  readonly id: string;
  readonly approval: Approval;
  /** Where it is read whole, and answered. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** How many more wait, for `more`. */
  readonly count?: number;
}

/** A notice in parts: `text` may have several lines, and is the only part that somebody else wrote freely. */
export interface NoticeWords {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly text?: string;
  /** What a reader could overlook, or does not see here. */
  readonly warnings: readonly string[];
  readonly url: string;
}

/** Longer statements are read behind the link; the notice says how much is missing. */
const longestText = 2_000;
const mostEffects = 12;

export function noticeWords({ kind, approval: of, url, at, count }: Notice): NoticeWords {
  const who = line(of.requesterName);
  const place = line(`${of.target}/${of.database}`);
  if (kind === 'more')
    return { title: `${count} more statements wait for ${line(of.group)}`, facts: [], warnings: [], url };
  if (kind === 'resolved')
    return { title: `${of.state}: what ${who} asked on ${place}`, facts: votesOf(of), warnings: [], url };
  const text = visible(of.text.slice(0, longestText), '\n');
  const left = of.text.length - longestText;
  const grade = {
    signed: ', each with a signature',
    verified: ', each with a signature by a key that checks who is there',
  };
  return {
    title: `${kind === 'reminder' ? 'Still waiting: ' : ''}${who} asks on ${place}`,
    facts: [
      ['Requester', `${who} (${line(of.requester)})`],
      ['Target', place],
      ['Needs', `${of.quorum} of ${line(of.group)}${of.grade ? grade[of.grade] : ''}`],
      ['Expires', `${new Date(of.expires).toISOString()}, in ${minutes(of.expires - at)}`],
      ...of.effects
        .slice(0, mostEffects)
        .map((effect) => ['Effect', line(`${effect.action} on ${effect.resource}`)] as const),
      ['Rules', line(of.rules.join(', '))],
      ['Digest', of.digest],
    ],
    text,
    warnings: [
      unusual([of.text, ...(of.parameters ?? [])].join(' ')),
      of.effects.length > mostEffects
        ? `${of.effects.length - mostEffects} more effects are behind the link.`
        : undefined,
      left > 0 ? `${left} more characters of the statement are behind the link.` : undefined,
      of.parameters?.length ? `${of.parameters.length} parameters are behind the link.` : undefined,
    ].filter((one) => one !== undefined),
    url,
  };
}

/** The words as plain text, for channels that have nothing else. */
export function plainText({ title, facts, text, warnings, url }: NoticeWords): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return [
    title,
    '',
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(text === undefined ? [] : ['', ...text.split('\n').map((one) => `    ${one}`), '']),
    ...warnings,
    '',
    url,
    '',
  ].join('\n');
}

function votesOf(of: Approval): (readonly [string, string])[] {
  return of.votes.map(({ voterName, answer, reason, grade }) => [
    line(voterName),
    line(`${answer}, grade ${grade}${reason ? `: ${reason}` : ''}`),
  ]);
}

const line = (text: string) => visible(text).slice(0, 300);

function minutes(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}
