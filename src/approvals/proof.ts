// An approval as a stranger checks it, with the public key of the log and nothing else: the entries of request, votes, keys and
// decision, each with its place in the log, and the parts of their sealed payloads that say what was asked and signed
// (docs/approvals.md, "Offline"). Pure.
import type { Json, PayloadGroup } from '../domain/entry.ts';
import { type Grade, meetsGrade } from '../domain/grade.ts';
import { canonical } from '../ledger/canonical.ts';
import { type Entry, readEntry } from '../ledger/entry.ts';
import { type NoteKey, NoteError } from '../ledger/note.ts';
import { commitmentOf } from '../ledger/payload.ts';
import { checkTlogProof } from '../ledger/tlog-proof.ts';
import { type Answer, ballotOf, challengeOf } from './ballot.ts';
import { type Assertion, type PasskeyKey, PasskeyProblem, verifyAssertion } from './passkey.ts';
import { type ApprovalRequest, requestDigest } from './request.ts';
import { parseSshKey, SshProblem } from './ssh-key.ts';
import { sshNamespace, verifySshSignature } from './ssh-signature.ts';

export interface ProvenEntry {
  /** The entry's bytes, as text. */
  readonly entry: string;
  /** Its place in the log: a c2sp.org/tlog-proof. */
  readonly proof: string;
  /** One group of its payload, where that is disclosed: canonical text and the salt of its commitment. */
  readonly disclosed?: { readonly group: PayloadGroup; readonly salt: string; readonly value: string };
}

export interface ApprovalProof {
  readonly v: 1;
  readonly kind: 'approval.proof';
  readonly entries: readonly ProvenEntry[];
}

export interface CheckedVote {
  readonly index: number;
  readonly voter: string;
  readonly voterName: string;
  readonly answer: Answer;
  readonly grade: Grade;
  readonly at: number;
  /** What was signed, and by what, where it was. */
  readonly ballot: Buffer;
  readonly ssh?: { readonly key: string; readonly signature: string };
  readonly passkey?: { readonly key: PasskeyKey; readonly assertion: Assertion };
}

export interface CheckedApproval {
  readonly request: ApprovalRequest;
  readonly digest: string;
  readonly state: string;
  readonly votes: readonly CheckedVote[];
  /** Leaf index of the decision that let the statement run; absent where none did. */
  readonly permitted?: number;
}

/** Why a proof proves nothing. */
export class ProofProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProofProblem';
  }
}

interface Read {
  readonly index: number;
  readonly entry: Entry;
  readonly value: Fields;
}
type Fields = { readonly [name: string]: Json | undefined };

/** Checks a proof against the public key of the log. Throws ProofProblem, in words, for the first thing that does not hold. */
export function checkApprovalProof(proof: ApprovalProof, log: NoteKey): CheckedApproval {
  const read = proof.entries.map((one) => readProven(one, log)).sort((a, b) => a.index - b.index);
  const of = (type: string) => read.filter(({ entry }) => entry.t === type);
  const asked = sole(of('approval.request'), 'request');
  const request = asked.value['request'] as unknown as ApprovalRequest;
  const digest = requestDigest(request);
  if (asked.entry.x['digest'] !== digest) throw wrong(asked, 'the request has another digest than its entry says');
  const id = request.id;
  const votes = of('approval.vote').map((one) => {
    if (one.entry.x['id'] !== id || one.entry.x['digest'] !== digest)
      throw wrong(one, 'the vote is on another request');
    return checkVote(one, request, read);
  });
  const resolution = sole(of('approval.resolution'), 'resolution');
  const { state } = resolution.entry.x;
  if (resolution.entry.x['id'] !== id || resolution.entry.x['digest'] !== digest)
    throw wrong(resolution, 'the resolution is of another request');
  if (state === 'granted') checkGrant(request, votes, resolution);
  const permits = of('statement.decision').filter(
    ({ entry }) => entry.x['approval'] === id && entry.x['d'] === 'permit',
  );
  if (permits.length > 1) throw wrong(permits[1]!, 'the statement was let through twice');
  const permit = permits[0];
  if (permit) {
    if (state !== 'granted' || permit.index < resolution.index)
      throw wrong(permit, 'it was let through without a grant');
    if (permit.entry.sid !== request.session || permit.entry.sq !== request.sequence)
      throw wrong(permit, 'another statement was let through');
  }
  return { request, digest, state: String(state), votes, ...(permit ? { permitted: permit.index } : {}) };
}

function readProven({ entry: text, proof, disclosed }: ProvenEntry, log: NoteKey): Read {
  let index: number;
  try {
    index = checkTlogProof(proof, Buffer.from(text), log).index;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new ProofProblem(`an entry is not proven to stand in the log: ${cause.message}`);
  }
  const entry = readEntry(text);
  if (typeof entry === 'string') throw new ProofProblem(`entry ${index} ${entry}`);
  if (!disclosed) return { index, entry, value: {} };
  const { group, salt, value } = disclosed;
  if (entry.c?.[group] !== commitmentOf(group, salt, value))
    throw new ProofProblem(`entry ${index}: what is disclosed is not what was sealed`);
  return { index, entry, value: fields(JSON.parse(value) as Json) };
}

function checkVote(one: Read, request: ApprovalRequest, read: readonly Read[]): CheckedVote {
  const { voter, voterName, answer, reason, grade, at, signed } = one.value;
  const who = String(voter);
  if (answer !== one.entry.x['answer'] || grade !== one.entry.x['grade'])
    throw wrong(one, 'the vote is not what its entry says');
  const ballot = ballotOf(request, answer as Answer, reason as string | undefined);
  const vote = {
    index: one.index,
    voter: who,
    voterName: String(voterName),
    answer: answer as Answer,
    at: Number(at),
    ballot,
  };
  if (grade === 'session') return { ...vote, grade };
  const { key: id, signature } = fields(signed ?? null);
  const key = checkKey(one, String(id), who, read);
  const { ssh, passkey } = fields(signature ?? null);
  const found =
    ssh === undefined
      ? byPasskey(one, key, ballot, passkey as unknown as Assertion)
      : bySsh(one, key, ballot, String(ssh));
  if (found.grade !== grade)
    throw wrong(one, `the signature is of grade ${found.grade}, the vote says ${String(grade)}`);
  return { ...vote, ...found };
}

/** The key was enrolled by the voter before the vote, vouched for by somebody else, and not revoked by then. */
function checkKey(vote: Read, id: string, voter: string, read: readonly Read[]): Fields {
  const acts = (type: string) => read.filter(({ entry }) => entry.t === type && entry.x['key'] === id);
  const enrolled = acts('approver-key.enrol')[0];
  if (!enrolled || enrolled.index > vote.index) throw wrong(vote, 'no entry before it enrols its key');
  const key = fields(enrolled.value['key'] ?? null);
  if (key['person'] !== voter) throw wrong(vote, 'its key is somebody else’s');
  const vouched = acts('approver-key.vouch')[0];
  if (
    vouched &&
    (vouched.index > vote.index || vouched.value['by'] === voter || vouched.value['fingerprint'] !== key['fingerprint'])
  )
    throw wrong(vote, 'nobody else had vouched for its key');
  const named = Number(fields(vote.value['signed'] ?? null)['vouched'] ?? Number.NaN);
  if (!Number.isNaN(named) && vouched?.index !== named)
    throw wrong(vote, 'the entry that vouches for its key is missing');
  const revoked = acts('approver-key.revoke')[0];
  if (revoked && revoked.index < vote.index) throw wrong(vote, 'its key had been revoked');
  return key;
}

function bySsh(vote: Read, key: Fields, ballot: Buffer, signature: string): Pick<CheckedVote, 'grade' | 'ssh'> {
  try {
    const line = String(key['ssh']);
    const signed = verifySshSignature(signature, ballot, sshNamespace);
    if (!signed.key.blob.equals(parseSshKey(line).blob)) throw new SshProblem('it is of another key');
    return { grade: signed.verified ? 'verified' : 'signed', ssh: { key: line, signature } };
  } catch (cause) {
    if (!(cause instanceof SshProblem)) throw cause;
    throw wrong(vote, `the signature does not verify: ${cause.message}`);
  }
}

function byPasskey(
  vote: Read,
  key: Fields,
  ballot: Buffer,
  assertion: Assertion,
): Pick<CheckedVote, 'grade' | 'passkey'> {
  const passkey = key['passkey'] as unknown as PasskeyKey | undefined;
  if (!passkey) throw wrong(vote, 'its key is not a passkey');
  try {
    const { verified } = verifyAssertion(assertion, challengeOf(ballot), passkey);
    return { grade: verified ? 'verified' : 'signed', passkey: { key: passkey, assertion } };
  } catch (cause) {
    if (!(cause instanceof PasskeyProblem)) throw cause;
    throw wrong(vote, `the signature does not verify: ${cause.message}`);
  }
}

/** Enough people, each strong enough, none of them the requester or its owner, in time. */
function checkGrant(request: ApprovalRequest, votes: readonly CheckedVote[], resolution: Read): void {
  const { quorum, requester } = request;
  const grants = votes.filter(({ answer }) => answer === 'grant');
  const own = [requester.principal, requester.owner, ...requester.delegation];
  for (const vote of votes) {
    if (vote.index > resolution.index) throw wrong(resolution, 'a vote was recorded after the request had ended');
    if (own.includes(vote.voter)) throw wrong(resolution, 'somebody voted on their own request');
    if (vote.answer === 'refuse') throw wrong(resolution, 'it was granted although somebody refused');
  }
  const strong = grants.filter(({ grade }) => meetsGrade(grade, quorum.grade ?? 'session'));
  if (new Set(strong.map(({ voter }) => voter)).size < quorum.n)
    throw wrong(resolution, `fewer than ${quorum.n} people granted it as the policy demands`);
  if (resolution.entry.ts > Date.parse(request.expires)) throw wrong(resolution, 'it was granted after it had expired');
}

function sole(found: readonly Read[], what: string): Read {
  if (found.length !== 1)
    throw new ProofProblem(`the proof holds ${found.length} entries of the ${what} instead of one`);
  return found[0]!;
}

const wrong = ({ index }: Read, what: string) => new ProofProblem(`entry ${index}: ${what}`);

function fields(value: Json): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The file of a proof. */
export function formatApprovalProof(entries: readonly ProvenEntry[]): string {
  return `${canonical({ v: 1, kind: 'approval.proof', entries } as unknown as Json)}\n`;
}

/** Reads such a file. Throws ProofProblem. */
export function parseApprovalProof(text: string): ApprovalProof {
  const malformed = () => new ProofProblem('the file is not one that "countersign approvals prove" wrote');
  let value: Fields;
  try {
    value = fields(JSON.parse(text) as Json);
  } catch {
    throw malformed();
  }
  const { v, kind, entries } = value;
  const whole = (one: Json) => {
    const { entry, proof, disclosed } = fields(one);
    const { group, salt, value: plain } = fields(disclosed ?? {});
    const strings = disclosed === undefined ? [entry, proof] : [entry, proof, group, salt, plain];
    return strings.every((text) => typeof text === 'string');
  };
  if (v !== 1 || kind !== 'approval.proof' || !Array.isArray(entries) || !entries.every(whole)) throw malformed();
  return value as unknown as ApprovalProof;
}
