// What a client is told when a hold ends without a grant: the reason, and what to do next (guarantee 10).
import type { Resolution } from '../approvals/inbox.ts';

export const withdrawn = {
  reason: 'The request was withdrawn before it was answered.',
  advice: 'Send it again and keep the connection open until it is answered.',
};

function refusalWords(resolution: Resolution): { reason: string; advice: string } {
  const vote = resolution.votes.find((one) => one.answer === 'refuse');
  const why = vote?.reason ? `: ${vote.reason}` : '.';
  return {
    reason: `${vote?.voterName ?? 'Somebody'} refused it${why}`,
    advice: 'Do not send it again; do something else or talk to who refused it.',
  };
}

function expiryWords(group: string): { reason: string; advice: string } {
  return {
    reason: `Not enough people of ${group} answered in time.`,
    advice: `Send it again when someone of ${group} is at hand.`,
  };
}

/** What the client is told of a hold that was not granted, or was granted too late. */
export function endWords(resolution: Resolution, group: string): typeof withdrawn {
  if (resolution.state === 'refused') return refusalWords(resolution);
  return resolution.state === 'expired' ? expiryWords(group) : withdrawn;
}
