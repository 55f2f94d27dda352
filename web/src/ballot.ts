import type { ApprovalRow, Ballot, Vote } from '../../src/api/contract.ts';
import { read, Told } from './api.ts';

interface Request {
  readonly action: Pick<ApprovalRow, 'text' | 'parameters' | 'effects'>;
  readonly target: { readonly name: string; readonly database: string };
  readonly requester: { readonly principal: string };
  readonly quorum: { readonly n: number; readonly of: string; readonly grade?: string };
}

/** The text to sign for this vote on the request that is shown. Rejects with Told when it says anything else. */
export async function ballotFor(shown: ApprovalRow, answer: Vote['answer'], reason: string): Promise<string> {
  const query = new URLSearchParams({ answer, ...(reason ? { reason } : {}) });
  const { ballot } = await read<Ballot>(`/api/approvals/${encodeURIComponent(shown.id)}/ballot?${query}`);
  const what = await difference(ballot, shown, answer, reason);
  if (what !== undefined)
    throw new Told(
      `What the gateway gives to sign is not what this page shows (${what}). Nothing was signed; tell an operator.`,
    );
  return ballot;
}

async function difference(
  text: string,
  shown: ApprovalRow,
  answer: string,
  reason: string,
): Promise<string | undefined> {
  const { request, ...vote } = JSON.parse(text) as { request: Request };
  const { action, target, requester, quorum } = request;
  // Members of canonical JSON are sorted, and a quote inside a text is escaped: the request stands between these two, to the byte.
  const canonical = text.slice(text.indexOf(',"request":') + ',"request":'.length, -',"v":1}'.length);
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`countersign-approval/v1\n${canonical}`));
  const digest = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['the digest', digest, shown.digest],
    ['the vote', vote, { answer, kind: 'approval.vote', ...(reason ? { reason } : {}), v: 1 }],
    ['the statement', action.text, shown.text],
    ['the parameters', action.parameters, shown.parameters],
    ['the effects', action.effects, shown.effects],
    ['the target', [target.name, target.database], [shown.target, shown.database]],
    ['the requester', requester.principal, shown.requester],
    ['the quorum', [quorum.n, quorum.of, quorum.grade], [shown.quorum, shown.group, shown.grade]],
  ];
  return pairs.find(([, signed, seen]) => sorted(signed) !== sorted(seen))?.[0];
}

/** The same text for the same value, whatever the order of its members. */
function sorted(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? ''
  );
}
