// What `countersign policy check` asks: would this principal be let do that, under these files.
import type { Decision } from '../domain/decision.ts';
import { type Action, actions, type Effect } from '../domain/effect.ts';
import type { Label } from '../domain/label.ts';
import type { Method } from '../domain/mask.ts';
import type { Principal } from '../domain/principal.ts';
import type { Meaning, StatementKind } from '../domain/statement.ts';
import { openPolicy } from './policy.ts';
import type { PolicySet } from './policy-set.ts';

export interface Question {
  readonly principal: Partial<Principal> & Pick<Principal, 'kind'>;
  readonly target: string;
  readonly database?: string;
  readonly kind?: StatementKind;
  readonly unattended?: boolean;
  readonly labels?: readonly Label[];
  readonly meaning: Meaning;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Decides a question outside any session; parts of the principal that are not given are empty. */
export function checkStatement(
  set: PolicySet,
  question: Question,
  methodFor: (label: Label) => Method = () => ({ method: 'full' }),
): Decision {
  const principal: Principal = {
    issuer: 'https://issuer.example',
    subject: question.principal.kind,
    name: question.principal.kind,
    groups: [],
    claims: {},
    delegation: [],
    credential: { type: 'jwt', sha256: '' },
    ...question.principal,
  };
  const { target, database = target, unattended = isUnattended(principal), labels = [] } = question;
  return openPolicy(set, { methodFor })
    .view({ principal, target, database, unattended, labels })
    .decide(question.kind ?? 'execute', question.meaning, question.time);
}

/** `sql:drop public.orders` → effect; undefined when the action is not one. For the command line. */
export function parseEffect(text: string): Effect | undefined {
  const [action = '', name = ''] = text.trim().split(/\s+/, 2);
  if (!(actions as readonly string[]).includes(action)) return undefined;
  const [schema, relation, column] = name === '' ? [] : name.split('.');
  if (action === 'sql:call') return { action, resource: { schema, routine: relation } };
  return { action: action as Action, resource: { schema, relation, column } };
}

/** Agents and services act unattended unless a verified claim of that name says otherwise. */
export function isUnattended(principal: Principal): boolean {
  const claim = principal.claims['unattended'];
  return typeof claim === 'boolean' ? claim : principal.kind !== 'human';
}
