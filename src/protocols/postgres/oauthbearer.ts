// The server's side of SASL OAUTHBEARER (RFC 7628), as PostgreSQL 18 speaks it: what a client's response says, and the error
// that tells it where tokens come from. Pure.
import { Fault } from '../../domain/fault.ts';

export const oauthbearer = 'OAUTHBEARER';

/** What a client is told that has no token, or one that is not accepted (RFC 7628, 3.2.2). */
export interface OAuthDiscovery {
  /** URL of the OpenID Connect discovery document. */
  readonly configuration: string;
  /** Scopes to ask for, separated by spaces. */
  readonly scope: string;
}

const kvsep = 1;

/** The token of a client's response, as it stands; `''` when the client only asks where tokens come from (RFC 7628, 4.3). */
export function readResponse(data: Buffer): string {
  // Latin-1 keeps every byte, so that what the grammar does not allow is seen and refused.
  const text = data.toString('latin1');
  // gs2-header (RFC 5801, 4): no channel binding is defined for OAUTHBEARER, and "y" means just that.
  const header = /^(?:n|y),,\x01/.exec(text)?.[0];
  if (header === undefined) {
    if (/^(?:n|y),a=/.test(text))
      throw new Fault('client.protocol', 'Acting under another identity is not offered here; leave out authzid.');
    if (text.startsWith('p='))
      throw new Fault('client.protocol', 'OAUTHBEARER has no channel binding; connect with channel_binding=disable.');
    throw malformed();
  }
  const body = text.slice(header.length);
  // Pairs each end with a separator, and one more ends the list: nothing may follow.
  if (!/^(?:[A-Za-z]+=[\t\n\r -~]*\x01)*\x01$/.test(body)) throw malformed();
  const auths = body
    .split('\x01')
    .filter((pair) => pair.startsWith('auth='))
    .map((pair) => pair.slice(5));
  // Keys that are not known are ignored (3.1); "host" and "port" say nothing that is not known here.
  if (auths.length !== 1) throw malformed();
  const auth = auths[0] as string;
  if (auth === '') return '';
  // RFC 6750, 2.1: one space, then b64token; the scheme's case does not count (RFC 7235, 2.1).
  const token = /^bearer +([-\w.~+/]+=*)?$/i.exec(auth);
  if (token === null) throw malformed();
  return token[1] ?? '';
}

function malformed(): Fault {
  return new Fault('client.protocol', 'The client’s OAUTHBEARER message is not as RFC 7628 says.');
}

/** The challenge by which the server refuses; the client must answer it before the exchange fails (RFC 7628, 3.2.2, 3.2.3). */
export function refusalChallenge({ configuration, scope }: OAuthDiscovery): Buffer {
  return Buffer.from(JSON.stringify({ status: 'invalid_token', 'openid-configuration': configuration, scope }));
}

/** Throws unless this is the only answer that the client may give to a refusal. */
export function checkAcknowledgement(data: Buffer): void {
  if (data.length !== 1 || data[0] !== kvsep) throw malformed();
}
