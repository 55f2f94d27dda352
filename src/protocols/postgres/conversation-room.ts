// Room for what a session keeps: names, and the texts of prepared statements.
import type { Analysis } from '../../sql/analysis.ts';
import type { Talk } from './conversation-state.ts';

/** Whether the text of one more prepared statement may be kept. Counted anew only when the sum of what came reached the limit. */
export function roomForText(talk: Talk, text: string): boolean {
  talk.preparedBytes += text.length;
  if (talk.preparedBytes <= talk.limits.preparedBytes) return true;
  talk.preparedBytes = text.length;
  for (const [, prepared] of talk.statements.confirmed()) talk.preparedBytes += prepared.text.length;
  return talk.preparedBytes <= talk.limits.preparedBytes;
}

/** PREPARE and DECLARE make names too. */
export function namesTooMany(talk: Talk, analysis: Analysis, text: string): boolean {
  for (const { changes } of analysis.parts) {
    if (changes.prepared && (talk.statements.size >= talk.limits.names || !roomForText(talk, text))) return true;
    if (changes.cursor && talk.cursors.size >= talk.limits.names) return true;
  }
  return false;
}
