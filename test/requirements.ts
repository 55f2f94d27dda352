/** The guarantees, as data: the README's table is checked against this, and every one is cited by at least one test. */
export interface Requirement {
  readonly id: string;
  /** Guarantee number in the README. */
  readonly guarantee: number;
  readonly title: string;
  readonly behaviour: string;
}

export const requirements = [
  {
    id: 'recorded.before-executed',
    guarantee: 1,
    title: 'Recorded before executed',
    behaviour:
      'Every statement that the target executed has a durable decision in the ledger, whenever the gateway is killed.',
  },
  {
    id: 'permit.before-send',
    guarantee: 1,
    title: 'Recorded before executed',
    behaviour:
      'Nothing can be sent to a target without a permit, and a permit is minted only after its decision is durable.',
  },
  {
    id: 'ledger.down-stops',
    guarantee: 1,
    title: 'Recorded before executed',
    behaviour: 'When the ledger cannot take a decision, the statement is not sent and the client is told.',
  },
  {
    id: 'understood-or-refused',
    guarantee: 2,
    title: 'Understood or refused',
    behaviour: 'What cannot be parsed, framed or resolved is not forwarded.',
  },
  {
    id: 'masked-or-withheld',
    guarantee: 3,
    title: 'Masked or withheld',
    behaviour:
      'Values of labelled columns leave masked or not at all: rows, COPY, errors, notices, text and binary alike.',
  },
  {
    id: 'never-raw-at-rest',
    guarantee: 4,
    title: 'Never raw at rest',
    behaviour: 'Nothing that the gateway wrote to disk holds an unmasked labelled value, a target password or a token.',
  },
  {
    id: 'identity.never-defaulted',
    guarantee: 5,
    title: 'Identity is never defaulted',
    behaviour: 'Without a verified principal there is no session; what the client claims is recorded as a claim.',
  },
  {
    id: 'credential.never-held',
    guarantee: 6,
    title: 'The agent never holds a target credential',
    behaviour:
      'The target credential is injected on the target side and appears in nothing that the client or the disk receives.',
  },
  {
    id: 'verifier.alone',
    guarantee: 7,
    title: 'The verifier stands alone',
    behaviour: 'Ledger files and a public key are enough to verify; the verifier imports no other part and no package.',
  },
  {
    id: 'nothing-missing',
    guarantee: 8,
    title: 'Nothing is missing, provably',
    behaviour: 'A changed, removed, reordered, truncated or rolled-back record is detected and named.',
  },
  {
    id: 'bounded',
    guarantee: 9,
    title: 'Bounded',
    behaviour: 'Every buffer, wait and allocation that a peer can drive has a limit.',
  },
  {
    id: 'denial.usable',
    guarantee: 10,
    title: 'A denial is usable',
    behaviour:
      'A denial is an ordinary error of the protocol, keeps the connection and its transaction semantics, and says what to do next.',
  },
  {
    id: 'hold.exactly-once',
    guarantee: 10,
    title: 'A denial is usable',
    behaviour:
      'A held statement runs exactly once after it is granted, and never after it was refused, expired, or its client left.',
  },
  {
    id: 'approval.not-own',
    guarantee: 10,
    title: 'A denial is usable',
    behaviour: 'The requester, its owner and agents can never approve.',
  },
  {
    id: 'approval.signed',
    guarantee: 10,
    title: 'A denial is usable',
    behaviour:
      'A grant that the policy wants signed counts only with a signature over exactly this request, by a key that is the voter’s own and vouched for.',
  },
] as const satisfies readonly Requirement[];

export type RequirementId = (typeof requirements)[number]['id'];

/** Names a test by the guarantee it holds: `test(verifies('permit.before-send', 'a forged permit is refused'), …)`. */
export function verifies(id: RequirementId, name: string): string {
  return `[${id}] ${name}`;
}
