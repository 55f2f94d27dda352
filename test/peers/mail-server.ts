// A mail server for tests: keeps what it takes, and refuses as told.
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { newAuthority } from './authority.ts';

export interface TakenMail {
  readonly raw: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user?: string;
}

export interface MailPeer {
  readonly port: number;
  /** Authority of its certificate, PEM. */
  readonly ca: string;
  readonly mails: TakenMail[];
  /** Codes with which the next recipients are refused, one each. */
  readonly refusals: number[];
  stop(): Promise<void>;
}

interface Wish {
  readonly tls?: 'starttls' | 'implicit' | 'none';
  readonly password?: string;
}

export async function mailServer({ tls = 'starttls', password }: Wish = {}): Promise<MailPeer> {
  const authority = await newAuthority('mail authority');
  const { cert, key } = await authority.issue({
    name: 'CN=localhost',
    names: [{ type: 'dns', value: 'localhost' }],
    usage: 'server',
  });
  const mails: TakenMail[] = [];
  const refusals: number[] = [];
  const server = new SMTPServer({
    key,
    cert,
    secure: tls === 'implicit',
    authOptional: password === undefined,
    disabledCommands: tls === 'none' ? ['STARTTLS'] : [],
    onAuth(auth, _session, done) {
      if (auth.password === password) return done(null, { user: auth.username });
      return done(new Error(`no, ${auth.password} is wrong`));
    },
    onRcptTo(_address, _session, done) {
      const code = refusals.shift();
      done(code === undefined ? null : Object.assign(new Error('later'), { responseCode: code }));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push({
          raw: Buffer.concat(parts).toString(),
          to: session.envelope.rcptTo.map(({ address }) => address),
          secure: session.secure,
          ...(session.user === undefined ? {} : { user: session.user }),
        });
        done();
      });
    },
  });
  // A client that does not trust the certificate hangs up.
  server.on('error', () => {});
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    port: (server.server.address() as AddressInfo).port,
    ca: authority.cert,
    mails,
    refusals,
    stop: () => new Promise((closed) => server.close(closed)),
  };
}
