// What kind of statement a text is, without its constants: libpg_query's fingerprint, one for each statement of the text.
import { fingerprintRaw, parseRaw } from './parser.ts';

/** Undefined for a text that is not understood. */
export function fingerprints(text: string): readonly string[] | undefined {
  try {
    const bytes = Buffer.from(text);
    return parseRaw(text).map(({ stmt_location: at = 0, stmt_len: length = 0 }) =>
      fingerprintRaw(bytes.toString('utf8', at, length === 0 ? bytes.length : at + length)),
    );
  } catch {
    return undefined;
  }
}
