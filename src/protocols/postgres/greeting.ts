// First words to a client whose session is open, and last words to its target.
import type { Link } from '../../domain/link.ts';
import { encodeTerminate } from './codec-simple.ts';
import type { CancelKey } from './codec-startup.ts';
import { encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery } from './codec-status.ts';
import { Writer } from './codec-writer.ts';
import type { LoggedIn } from './login.ts';

/** The server's own settings, our own cancel key, and that it may begin. */
export function greet(client: Link, logged: LoggedIn, key: CancelKey): void {
  const writer = new Writer();
  for (const [name, value] of logged.parameters) encodeParameterStatus(writer, name, value);
  encodeBackendKeyData(writer, key);
  encodeReadyForQuery(writer, 'I');
  client.write(writer.take());
}

export function goodbye(): Uint8Array {
  const writer = new Writer();
  encodeTerminate(writer);
  return writer.take();
}
