// Client start-up until the credential is in hand: encryption negotiation, StartupMessage, password or SASL (manual 53.2.1, 53.3).
// No IO: it says what to do next. Nothing of a client is trusted here, and nothing is dialled.
import { Fault } from '../../domain/fault.ts';
import { clientMessage, clientPeer } from './codec.ts';
import {
  type Authentication,
  decodePassword,
  decodeSaslInitial,
  decodeSaslResponse,
  encodeAuthentication,
} from './codec-authentication.ts';
import { found, Framer } from './codec-framer.ts';
import { isTraceParent } from '../../domain/trace.ts';
import { type CancelKey, decodeStartup, encodeNegotiation, type Startup } from './codec-startup.ts';
import { Writer } from './codec-writer.ts';
import {
  checkAcknowledgement,
  type OAuthDiscovery,
  oauthbearer,
  readResponse,
  refusalChallenge,
} from './oauthbearer.ts';

/** How clients of a listener may sign in. */
export type SignInMethod = 'token-password' | 'oauthbearer' | 'certificate';

export interface FrontOptions {
  /** The server names the method in PostgreSQL: the first of these that this client can use. */
  readonly signIn: readonly SignInMethod[];
  /** Where tokens come from; needed for `oauthbearer`. */
  readonly oauth?: OAuthDiscovery;
  /** The client presented a certificate, whether it verifies or not. */
  presented(): boolean;
  /** The listener has TLS to offer. */
  readonly tls: boolean;
  /** The link is under TLS now, or the listener lets this peer go on without. */
  mayContinue(): boolean;
  /** The link is under TLS now. */
  secure(): boolean;
}

/** What the client wants, as far as it said. */
export interface Wanted {
  readonly target: string;
  readonly database?: string;
  /** What the client calls itself; a claim. */
  readonly user?: string;
  readonly application?: string;
  /** The trace that the client puts its session into. */
  readonly trace?: string;
  /** Start-up settings to pass on to the target. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Minor version of protocol 3 in force: 0 or 2. */
  readonly minor: number;
}

export type FrontStep =
  | { readonly do: 'wait' }
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Send 'S' and turn to TLS. */
  | { readonly do: 'secure' }
  | { readonly do: 'cancel'; readonly key: CancelKey }
  /** `token` is empty when the client sent none, and for `certificate`. */
  | { readonly do: 'sign-in'; readonly by: SignInMethod; readonly token: string; readonly wanted: Wanted }
  /** The client has taken note that its token was refused. */
  | { readonly do: 'refuse' };

/** Longest message before sign-in; tokens with many groups fit. */
const longestMessage = 16 * 1024;

/** What the next message of the client must be, once it has said what it wants. */
type Awaited = 'password' | 'sasl-initial' | 'sasl-response' | 'acknowledgement' | 'nothing';

export class Front {
  readonly #options: FrontOptions;
  readonly #framer = new Framer({ peer: clientPeer, startup: true, limit: longestMessage });
  #wanted: Wanted | undefined;
  #awaited: Awaited = 'nothing';
  #signIn: FrontStep | undefined;
  /** What ends an exchange that only asked where tokens come from. */
  #discovery = false;
  #asked = 0;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): void {
    if (this.#framer.pending + chunk.length > 4 * longestMessage)
      throw new Fault('client.protocol', 'The client sent too much before it had signed in.');
    this.#framer.push(chunk);
  }

  /** Bytes behind the password message: a client may not wait for our answer. */
  rest(): Buffer {
    return this.#framer.rest();
  }

  /** Keeps what is not read yet, past the turn. */
  keep(): void {
    this.#framer.keep();
  }

  /** The challenge that refuses the token of OAUTHBEARER; the client's answer to it is awaited then. */
  refuse(): Buffer {
    if (this.#options.oauth === undefined) throw new Error('OAUTHBEARER without the place where tokens come from');
    this.#awaited = 'acknowledgement';
    return authentication({ kind: 'sasl-continue', data: refusalChallenge(this.#options.oauth) });
  }

  /** The next thing to do. Throws a Fault that ends the link. */
  next(): FrontStep {
    if (this.#signIn) {
      const step = this.#signIn;
      this.#signIn = undefined;
      return step;
    }
    if (this.#framer.next() === found.nothing) return { do: 'wait' };
    const { type, buffer, start, end } = this.#framer;
    if (this.#wanted) {
      if (type !== clientMessage.password || this.#awaited === 'nothing')
        throw new Fault('client.protocol', 'The client sent something else than the credential that it was asked for.');
      return this.#credential(buffer, start, end, this.#wanted);
    }
    const packet = decodeStartup(buffer, start, end);
    switch (packet.kind) {
      case 'cancel':
        return { do: 'cancel', key: packet.key };
      case 'gss':
        this.#once();
        return { do: 'send', bytes: Buffer.from('N') };
      case 'ssl':
        this.#once();
        if (!this.#options.tls || this.#options.secure()) return { do: 'send', bytes: Buffer.from('N') };
        // Bytes behind the request came in the clear and would be taken for protected ones (CVE-2021-3935).
        if (this.#framer.pending > 0)
          throw new Fault('client.protocol', 'The client sent bytes in the clear behind its request for TLS.');
        return { do: 'secure' };
      case 'startup': {
        const wanted = read(packet);
        if (!this.#options.mayContinue()) {
          throw new Fault(
            'sign-in.plaintext',
            'This listener does not accept a token without TLS; connect with sslmode=verify-full.',
          );
        }
        this.#wanted = wanted.wanted;
        const by = this.#method();
        this.#framer.typed();
        const writer = new Writer();
        if (wanted.unknown.length > 0 || packet.minor > 2)
          encodeNegotiation(writer, { minor: wanted.wanted.minor, unknown: wanted.unknown });
        if (by === 'certificate') {
          const signIn = { do: 'sign-in', by, token: '', wanted: wanted.wanted } as const;
          if (writer.size === 0) return signIn;
          this.#signIn = signIn;
          return { do: 'send', bytes: writer.take() };
        }
        const sasl = by === 'oauthbearer';
        this.#awaited = sasl ? 'sasl-initial' : 'password';
        encodeAuthentication(writer, sasl ? { kind: 'sasl', mechanisms: [oauthbearer] } : { kind: 'cleartext' });
        return { do: 'send', bytes: writer.take() };
      }
    }
  }

  /** A client with a certificate is signed in by it or refused: another method is no way around an untrusted one. */
  #method(): SignInMethod {
    const { signIn } = this.#options;
    const method = signIn.find((each) => each !== 'certificate' || this.#options.presented());
    // Certificates alone, and the client has none: the gateway refuses and records that.
    return method ?? 'certificate';
  }

  #credential(buffer: Buffer, start: number, end: number, wanted: Wanted): FrontStep {
    switch (this.#awaited) {
      case 'sasl-initial': {
        const { mechanism, data } = decodeSaslInitial(buffer, start, end);
        if (mechanism !== oauthbearer)
          throw new Fault('client.protocol', 'The client chose a SASL mechanism that was not offered.');
        if (data !== null) return this.#bearer(data, wanted);
        // Without an initial response an empty challenge asks for it (RFC 4422, 3).
        this.#awaited = 'sasl-response';
        return { do: 'send', bytes: authentication({ kind: 'sasl-continue', data: Buffer.alloc(0) }) };
      }
      case 'sasl-response':
        return this.#bearer(decodeSaslResponse(buffer, start, end), wanted);
      case 'acknowledgement':
        checkAcknowledgement(decodeSaslResponse(buffer, start, end));
        this.#awaited = 'nothing';
        if (!this.#discovery) return { do: 'refuse' };
        throw new Fault(
          'sign-in.missing',
          'A token is needed. Get one from the issuer that was just named, and connect again.',
        );
      default:
        this.#awaited = 'nothing';
        return { do: 'sign-in', by: 'token-password', token: decodePassword(buffer, start, end), wanted };
    }
  }

  #bearer(data: Buffer, wanted: Wanted): FrontStep {
    const token = readResponse(data);
    this.#awaited = 'nothing';
    if (token !== '') return { do: 'sign-in', by: 'oauthbearer', token, wanted };
    // A question and no attempt: it is answered here and not recorded as a refusal.
    this.#discovery = true;
    return { do: 'send', bytes: this.refuse() };
  }

  /** A client may ask once for each kind of encryption. */
  #once(): void {
    if (++this.#asked > 2) throw new Fault('client.protocol', 'The client asks for encryption again and again.');
  }
}

function authentication(request: Authentication): Buffer {
  const writer = new Writer();
  encodeAuthentication(writer, request);
  return writer.take();
}

/** Settings that a client may start with: none of them changes how a text is read or whose rights count. */
const allowed: ReadonlyMap<string, string> = new Map(
  [
    'application_name',
    'bytea_output',
    'DateStyle',
    'default_transaction_deferrable',
    'default_transaction_isolation',
    'default_transaction_read_only',
    'extra_float_digits',
    'idle_in_transaction_session_timeout',
    'idle_session_timeout',
    'IntervalStyle',
    'jit',
    'lock_timeout',
    'search_path',
    'statement_timeout',
    'TimeZone',
    'transaction_timeout',
  ].map((name) => [name.toLowerCase(), name]),
);

function read({ parameters, minor }: Startup): { wanted: Wanted; unknown: string[] } {
  const passed = new Map<string, string>();
  const unknown: string[] = [];
  let target = '';
  let user: string | undefined;
  let trace: string | undefined;
  const setting = (name: string, value: string): void => {
    const lower = name.toLowerCase();
    if (lower === 'countersign.traceparent') {
      // The client's own affair: what is none is left out, and nothing of it reaches the target.
      if (isTraceParent(value)) trace = value;
      return;
    }
    if (lower === 'client_encoding') {
      const encoding = value.toLowerCase().replace(/[^a-z0-9]/g, '');
      if (encoding === 'utf8' || encoding === 'unicode') return;
      throw new Fault(
        'client.protocol',
        'Only client_encoding UTF8 is accepted here; set PGCLIENTENCODING=UTF8 or leave it out.',
      );
    }
    const known = allowed.get(lower);
    if (known === undefined) {
      throw new Fault(
        'client.protocol',
        `The start-up parameter "${name.slice(0, 63)}" is not accepted here; leave it out or use SET after connecting.`,
      );
    }
    passed.set(known, value);
  };
  for (const [name, value] of parameters) {
    if (name.startsWith('_pq_.')) unknown.push(name);
    else if (name === 'user') user = value;
    else if (name === 'database') target = value;
    else if (name === 'options') for (const [option, given] of readOptions(value)) setting(option, given);
    else if (name === 'replication') {
      if (!/^(false|off|no|0)$/i.test(value)) {
        throw new Fault(
          'client.protocol',
          'Replication is not offered here: its stream cannot be judged statement by statement. Connect to the target directly for it.',
        );
      }
    } else setting(name, value);
  }
  // As the server does: without a database, the user's name is meant.
  const named = target === '' ? (user ?? '') : target;
  const slash = named.indexOf('/');
  const application = passed.get('application_name');
  return {
    unknown,
    wanted: {
      target: slash < 0 ? named : named.slice(0, slash),
      ...(slash < 0 ? {} : { database: named.slice(slash + 1) }),
      ...(user === undefined ? {} : { user }),
      ...(application === undefined ? {} : { application }),
      ...(trace === undefined ? {} : { trace }),
      parameters: passed,
      minor: minor >= 2 ? 2 : 0,
    },
  };
}

/** `-c name=value` and `--name=value`, with backslashes before spaces, as pg_split_opts reads them. */
function readOptions(text: string): [string, string][] {
  const words: string[] = [];
  let word: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === '\\') {
      word = (word ?? '') + (text[++index] ?? '');
    } else word = (word ?? '') + character;
  }
  if (word !== undefined) words.push(word);
  const settings: [string, string][] = [];
  for (let index = 0; index < words.length; index++) {
    let option = words[index] as string;
    if (option === '-c') option = words[++index] ?? '';
    else if (option.startsWith('-c')) option = option.slice(2);
    else if (option.startsWith('--')) option = option.slice(2);
    else option = '';
    const equals = option.indexOf('=');
    if (equals < 1)
      throw new Fault(
        'client.protocol',
        'The start-up parameter "options" is only accepted in the form "-c name=value".',
      );
    settings.push([option.slice(0, equals).replaceAll('-', '_'), option.slice(equals + 1)]);
  }
  return settings;
}
