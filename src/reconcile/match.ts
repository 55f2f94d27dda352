// The target's sessions against ours, and the statements in them. Pure. A session is the same by process, port and start; a
// statement by its text and its place: what the target ran must be a subsequence of what was sent, in order.
import { hash } from 'node:crypto';
import type { RecordedSession, RecordedTarget, SentStatement } from './recorded-sessions.ts';
import { isMasked, sameText } from './same-text.ts';
import type { TargetSession, TargetStatement } from './target-sessions.ts';

export interface MatchOptions {
  /** How far the two clocks may differ, in milliseconds. */
  readonly skewMs: number;
  /** Something between gateway and target changes ports. */
  readonly ignorePort: boolean;
}

export interface MatchedSession {
  readonly ours: RecordedSession;
  readonly theirs: TargetSession;
  readonly matched: number;
  /** The gateway's own readings through the session's link. */
  readonly own: number;
  /** By their place alone: the text was erased from the record. */
  readonly byOrder: number;
  readonly onlyInTarget: readonly TargetStatement[];
  readonly onlyInLedger: readonly SentStatement[];
}

export interface Matches {
  readonly matched: readonly MatchedSession[];
  readonly onlyInTarget: readonly TargetSession[];
  readonly onlyInLedger: readonly RecordedSession[];
  /** The target's clock minus the gateway's, in milliseconds; absent where no statement shows it. */
  readonly clock?: { readonly least: number; readonly most: number; readonly statements: number };
}

export function matchSessions(
  theirs: readonly TargetSession[],
  ours: readonly RecordedSession[],
  asks: RecordedTarget['asks'],
  options: MatchOptions,
): Matches {
  const byProcess = new Map<number, RecordedSession[]>();
  for (const session of ours) {
    if (session.pid === undefined) continue;
    byProcess.set(session.pid, [...(byProcess.get(session.pid) ?? []), session]);
  }
  const taken = new Set<RecordedSession>();
  const matched: MatchedSession[] = [];
  const onlyInTarget: TargetSession[] = [];
  const clock = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY, statements: 0 };
  for (const session of theirs) {
    const found = byProcess.get(session.pid)?.find((one) => !taken.has(one) && isSame(one, session, options));
    if (!found) {
      onlyInTarget.push(session);
      continue;
    }
    taken.add(found);
    matched.push(matchStatements(found, session, asks.get(found.boot) ?? new Set(), clock));
  }
  return {
    matched,
    onlyInTarget,
    onlyInLedger: ours.filter((one) => !taken.has(one)),
    ...(clock.statements === 0 ? {} : { clock }),
  };
}

function isSame(ours: RecordedSession, theirs: TargetSession, { skewMs, ignorePort }: MatchOptions): boolean {
  // The server tells its start in whole seconds.
  if (theirs.started + 1_000 < ours.from - skewMs || theirs.started > ours.reached + skewMs) return false;
  if (ours.database !== '' && theirs.database !== undefined && ours.database !== theirs.database) return false;
  return ignorePort || (ours.port !== undefined && ours.port === theirs.port);
}

type Clock = { least: number; most: number; statements: number };
type Sent = SentStatement & { readonly place: number };

function matchStatements(
  ours: RecordedSession,
  theirs: TargetSession,
  asks: ReadonlySet<string>,
  clock: Clock,
): MatchedSession {
  const exact = new Map<string, number[]>();
  const masked: Sent[] = [];
  const erased: Sent[] = [];
  const { statements } = ours;
  for (const [place, sent] of statements.entries()) {
    const { text, kind } = sent;
    // Decided and not sent: the target must not show it.
    if (sent.status === 'skipped') continue;
    if (text === undefined || text === "'***'") erased.push({ ...sent, place });
    else if (isMasked(text)) masked.push({ ...sent, place });
    if (text === undefined) continue;
    const key = `${kind} ${text}`;
    const places = exact.get(key);
    if (places) places.push(place);
    else exact.set(key, [place]);
  }
  const seen = new Set<number>();
  const onlyInTarget: TargetStatement[] = [];
  let cursor = 0;
  let matched = 0;
  let own = 0;
  let byOrder = 0;

  /** The next place that fits: the earliest one keeps most for what follows. */
  function placeOf(ran: TargetStatement): number | undefined {
    const kinds = kindsOf(ran);
    let best: number | undefined;
    for (const text of [ran.text, ...(ran.others ?? [])]) {
      for (const kind of kinds) {
        const place = next(exact.get(`${kind} ${text}`), cursor);
        if (place !== undefined && (best === undefined || place < best)) best = place;
      }
      const found = masked.find(
        (sent) =>
          sent.place >= cursor &&
          (best === undefined || sent.place < best) &&
          kinds.includes(sent.kind) &&
          sameText(sent.text!, text),
      );
      if (found) best = found.place;
    }
    if (best !== undefined) return best;
    for (let place = cursor; place < statements.length; place++) {
      const { text, kind } = statements[place]!;
      if (text === undefined || !kinds.includes(kind) || statements[place]!.status === 'skipped') continue;
      if (ran.how === 'call' ? text.includes(`${ran.text}(`) : ran.text.includes('\ufffd') && sameText(text, ran.text))
        return place;
    }
    return undefined;
  }

  for (const ran of theirs.statements) {
    let place = placeOf(ran);
    if (place === undefined && isOwn(ran, asks, ours.id === undefined)) {
      own++;
      continue;
    }
    if (place === undefined) {
      place = erased.find((sent) => sent.place >= cursor && kindsOf(ran).includes(sent.kind))?.place;
      if (place !== undefined) byOrder++;
    }
    if (place === undefined) {
      onlyInTarget.push(ran);
      continue;
    }
    const sent = statements[place]!;
    cursor = place + 1;
    seen.add(place);
    matched++;
    clock.statements++;
    clock.most = Math.min(clock.most, ran.at - sent.at + 1);
    if (sent.settled !== undefined) clock.least = Math.max(clock.least, ran.at - sent.settled - 1);
  }
  return {
    ours,
    theirs,
    matched,
    own,
    byOrder,
    onlyInTarget,
    onlyInLedger: statements.filter((_, place) => !seen.has(place)),
  };
}

/** What of ours the target may have logged so: a text that is parsed, one that ran, or one that failed at either. */
function kindsOf({ how }: TargetStatement): readonly string[] {
  if (how === 'parse') return ['prepare'];
  return how === 'error' ? ['execute', 'prepare'] : ['execute'];
}

/** The name under which the gateway asks through a session's link; no client may use it (protocols/postgres, "reserved name"). */
const reserved = /^countersign gateway(?:\/|$)/;

function isOwn(
  { how, name, text, others = [] }: TargetStatement,
  asks: ReadonlySet<string>,
  ownConnection: boolean,
): boolean {
  const mayBe = ownConnection || how === 'audit' || how === 'error' || (name !== undefined && reserved.test(name));
  if (!mayBe) return false;
  return [text, ...others].some((one) => asks.has(hash('sha256', one).slice(0, 16)));
}

/** The first of ascending places that is not before `from`. */
function next(places: readonly number[] | undefined, from: number): number | undefined {
  if (!places) return undefined;
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return places[low];
}
