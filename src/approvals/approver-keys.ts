// The keys that people sign votes with. Enrolling, vouching and revoking are each a synced entry before they take effect; who
// revokes is obeyed even when the entry fails (docs/approvals.md, "Keys").
import { randomBytes } from 'node:crypto';
import type { Json } from '../domain/entry.ts';
import { type Principal, principalId } from '../domain/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ApprovalProblem } from './approval.ts';
import { type ApproverKey, KeyProblem, keyRecord } from './approver-key.ts';
import { challengeOf } from './ballot.ts';
import { checkProof, type EnrolmentRules, openChallenges, type Proof } from './enrolment.ts';
import { PasskeyProblem, verifyAssertion } from './passkey.ts';
import type { SignedVote, VoteSignature } from './signed-vote.ts';
import { SshProblem } from './ssh-key.ts';
import { sshNamespace, verifySshSignature } from './ssh-signature.ts';

/** Where keys are kept between starts. */
export interface KeptKeys {
  all(): readonly ApproverKey[];
  put(key: ApproverKey): void;
  /** The last counter that a passkey showed. */
  counter(id: string): number;
  count(id: string, counter: number): void;
}

export interface ApproverKeysOptions {
  readonly ledger: Pick<Ledger, 'append'>;
  readonly kept: KeptKeys;
  readonly rules: EnrolmentRules;
  /** `vouched`: a key counts once an administrator who is somebody else vouched for it; `self`: at once. */
  readonly enrolment: 'vouched' | 'self';
  readonly admins: readonly string[];
  now(): number;
}

export interface ApproverKeys {
  readonly rules: EnrolmentRules;
  readonly enrolment: 'vouched' | 'self';
  list(): readonly ApproverKey[];
  /** Whether votes signed with it count. */
  counts(key: ApproverKey): boolean;
  /** A text to sign once. Throws KeyProblem. */
  challenge(principal: Principal): string;
  enrol(
    principal: Principal,
    of: { readonly name: string; readonly challenge: string; readonly proof: Proof },
  ): Promise<ApproverKey>;
  vouch(id: string, by: Principal): Promise<ApproverKey>;
  revoke(id: string, by: Principal, reason: string): Promise<ApproverKey>;
  /** Whose signature over the ballot it is: the voter's own, with a key that counts. Throws ApprovalProblem. */
  verify(voter: Principal, ballot: Buffer, signature: VoteSignature): SignedVote;
}

const mostOfOne = 20;
const longestName = 100;

export function openApproverKeys(options: ApproverKeysOptions): ApproverKeys {
  const { ledger, kept, now, rules, enrolment } = options;
  const challenges = openChallenges(now);
  const keys = new Map(kept.all().map((key) => [key.id, key]));
  /** Fingerprints of enrolments whose entries are being written. */
  const enrolling = new Set<string>();

  // A revocation whose entry could not be written is obeyed, and recorded now.
  for (const key of keys.values()) if (key.revoked?.entry === -1) void recordRevocation(key).catch(() => undefined);

  const put = (key: ApproverKey) => {
    kept.put(key);
    keys.set(key.id, key);
    return key;
  };
  const find = (id: string) => {
    const key = keys.get(id);
    if (!key) throw new KeyProblem('key.unknown', 'There is no such key. Reload the list.');
    return key;
  };
  const counts = (key: ApproverKey) => !key.revoked && (enrolment === 'self' || key.vouched !== undefined);
  const isAdmin = (of: Principal) => of.kind === 'human' && of.groups.some((group) => options.admins.includes(group));
  const act = (by: Principal, entry: number) => ({ by: principalId(by), byName: by.name, at: now(), entry });

  async function record(
    type: 'enrol' | 'vouch' | 'revoke',
    facts: Record<string, Json>,
    admin: Record<string, Json | undefined>,
  ) {
    const { index, durable } = ledger.append({ type: `approver-key.${type}`, facts, payload: { admin } }, 'synced');
    await durable;
    return index;
  }

  async function recordRevocation(key: ApproverKey): Promise<ApproverKey> {
    const { by, byName, reason } = key.revoked!;
    const entry = await record('revoke', { key: key.id }, { by, byName, person: key.person, reason });
    return put({ ...find(key.id), revoked: { ...key.revoked!, entry } });
  }

  function person(principal: Principal): void {
    if (principal.kind !== 'human')
      throw new KeyProblem('key.not-human', 'Only people have keys for votes. Sign in as a person.');
  }

  return {
    rules,
    enrolment,
    counts,
    list: () => [...keys.values()].sort((a, b) => b.enrolled.at - a.enrolled.at),
    challenge(principal) {
      person(principal);
      return challenges.give(principal);
    },
    async enrol(principal, { name, challenge, proof }) {
      person(principal);
      challenges.take(challenge, principal);
      const who = principalId(principal);
      const proven = await checkProof(proof, challenge, rules);
      if (enrolling.has(proven.fingerprint) || [...keys.values()].some((key) => key.fingerprint === proven.fingerprint))
        throw new KeyProblem('key.taken', 'This key is enrolled already, or was once. Make a new one.');
      if ([...keys.values()].filter((key) => key.person === who && !key.revoked).length >= mostOfOne)
        throw new KeyProblem('key.limit', `Nobody has more than ${mostOfOne} keys. Revoke one first.`);
      enrolling.add(proven.fingerprint);
      try {
        const fresh = {
          ...proven,
          id: randomBytes(12).toString('hex'),
          person: who,
          personName: principal.name,
          email: principal.email,
          name: name.trim().slice(0, longestName).toWellFormed() || proven.method,
        };
        const entry = await record('enrol', { key: fresh.id, method: fresh.method }, { key: keyRecord(fresh) as Json });
        return put({ ...fresh, enrolled: act(principal, entry) });
      } finally {
        enrolling.delete(proven.fingerprint);
      }
    },
    async vouch(id, by) {
      const key = find(id);
      if (!isAdmin(by))
        throw new KeyProblem('key.not-allowed', 'Only administrators vouch for keys. Ask one who knows whose it is.');
      if (
        principalId(by) === key.person ||
        (by.email !== undefined && by.email.toLowerCase() === key.email?.toLowerCase())
      )
        throw new KeyProblem('key.own', 'Nobody vouches for their own key. Ask another administrator.');
      if (key.revoked) throw new KeyProblem('key.revoked', 'The key was revoked. A new one must be enrolled.');
      if (key.vouched) return key;
      const entry = await record(
        'vouch',
        { key: id },
        { by: principalId(by), byName: by.name, person: key.person, fingerprint: key.fingerprint },
      );
      const now = find(id);
      return now.revoked ? now : put({ ...now, vouched: act(by, entry) });
    },
    async revoke(id, by, reason) {
      const key = find(id);
      if (principalId(by) !== key.person && !isAdmin(by))
        throw new KeyProblem('key.not-allowed', 'Only its owner and administrators revoke a key.');
      if (key.revoked) return key;
      const why = reason.slice(0, 500).toWellFormed();
      // First without its entry: a key that somebody fears for must not count while the disk works.
      return recordRevocation(put({ ...key, revoked: { ...act(by, -1), reason: why } }));
    },
    verify(voter, ballot, signature) {
      const invalid = (why: string) =>
        new ApprovalProblem('approval.signature', `The signature is not taken: ${why}. Nothing was voted; sign again.`);
      const own = (fingerprint: string) => {
        const key = [...keys.values()].find((one) => one.fingerprint === fingerprint);
        if (!key || key.person !== principalId(voter)) throw invalid('its key is not one of yours that is enrolled');
        if (key.revoked) throw invalid('its key was revoked');
        if (!counts(key)) throw invalid('no administrator has vouched for its key yet');
        return key;
      };
      const signed = (key: ApproverKey, verified: boolean): SignedVote => ({
        grade: verified ? 'verified' : 'signed',
        key: key.id,
        enrolled: key.enrolled.entry,
        ...(key.vouched ? { vouched: key.vouched.entry } : {}),
        signature,
      });
      try {
        if ('ssh' in signature) {
          const { key, verified } = verifySshSignature(signature.ssh, ballot, sshNamespace);
          return signed(own(key.fingerprint), verified);
        }
        const key = own(signature.passkey.credentialId);
        if (!key.passkey) throw invalid('its key is not a passkey');
        const { counter, verified } = verifyAssertion(signature.passkey, challengeOf(ballot), key.passkey);
        const last = kept.counter(key.id);
        if (counter !== 0 && counter <= last)
          throw invalid('its counter went backwards: there may be a copy of the key, so revoke it');
        kept.count(key.id, counter);
        return signed(key, verified);
      } catch (cause) {
        if (cause instanceof SshProblem || cause instanceof PasskeyProblem) throw invalid(cause.message);
        throw cause;
      }
    },
  };
}
