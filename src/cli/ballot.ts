// What is to be signed must be what was shown: the ballot is read here, field by field, before a key touches it.
import { hash } from 'node:crypto';
import type { ApprovalRow, Ballot, Vote } from '../api/contract.ts';
import type { Json } from '../domain/entry.ts';
import { canonical } from '../ledger/canonical.ts';
import { type ApiClient, segment } from './api-client.ts';
import { Exit } from './output.ts';

/** The text to sign for this vote on the request that was shown. Throws Exit when it says anything else. */
export async function ballotFor(
  client: ApiClient,
  shown: ApprovalRow,
  answer: Vote['answer'],
  reason: string | undefined,
): Promise<string> {
  const { ballot } = await client.get<Ballot>(`/api/approvals/${segment(shown.id)}/ballot`, { answer, reason });
  const differs = difference(ballot, shown, answer, reason);
  if (differs)
    throw new Exit(
      1,
      `What the gateway gives to sign is not what it showed (${differs}). Nothing was signed; tell an operator.`,
    );
  return ballot;
}

function difference(text: string, shown: ApprovalRow, answer: string, reason: string | undefined): string | undefined {
  let ballot: Json;
  try {
    ballot = JSON.parse(text) as Json;
  } catch {
    return 'not JSON';
  }
  if (canonical(ballot) !== text) return 'not canonical JSON';
  const { request, ...rest } = fields(ballot);
  const vote = { answer, kind: 'approval.vote', ...(reason ? { reason } : {}), v: 1 };
  if (canonical(rest) !== canonical(vote)) return 'the vote';
  if (hash('sha256', `countersign-approval/v1\n${canonical(request ?? null)}`) !== shown.digest) return 'the digest';
  const [action, target, requester, quorum] = ['action', 'target', 'requester', 'quorum'].map((name) =>
    fields(fields(request ?? null)[name] ?? null),
  );
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['the statement', action!['text'], shown.text],
    ['the parameters', action!['parameters'], shown.parameters],
    ['the effects', action!['effects'], shown.effects],
    ['the target', [target!['name'], target!['database']], [shown.target, shown.database]],
    ['the requester', requester!['principal'], shown.requester],
    [
      'the quorum',
      [quorum!['n'], quorum!['of'], quorum!['grade'] ?? null],
      [shown.quorum, shown.group, shown.grade ?? null],
    ],
  ];
  return pairs.find(([, signed, seen]) => json(signed) !== json(seen))?.[0];
}

const json = (value: unknown) => (value === undefined ? '' : canonical(value as Json));

function fields(value: Json): { readonly [name: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json | undefined })
    : {};
}
