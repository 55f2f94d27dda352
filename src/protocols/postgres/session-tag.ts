// The session's id in `application_name`, so that the target's log and pg_stat_activity name the session by themselves. What the
// client calls itself stands before it, and SHOW tells the client the whole: it is what the target holds.

/** NAMEDATALEN - 1: the server cuts what is longer. */
const longestName = 63;

/** Start-up settings with the tag behind the client's own name. */
export function tagged(parameters: ReadonlyMap<string, string>, session: string): ReadonlyMap<string, string> {
  const tag = `cs:${session}`;
  const own = cut(parameters.get('application_name') ?? '', longestName - tag.length - 1);
  return new Map([...parameters, ['application_name', own === '' ? tag : `${own} ${tag}`]]);
}

/** At most so many bytes of UTF-8, in whole characters. */
function cut(text: string, bytes: number): string {
  let kept = '';
  let left = bytes;
  for (const character of text) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    kept += character;
  }
  return kept.trimEnd();
}
