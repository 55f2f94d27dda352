// One mail by SMTP. The way is encrypted or it is loopback; a password is read when it is needed.
import { createTransport } from 'nodemailer';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'implicit' | 'none';
  /** Authorities that are trusted, PEM; default: those of the system. */
  readonly ca?: string;
  readonly user?: string;
  password?(): Promise<string>;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Of the same mail always the same, so that a second copy is seen to be one. */
  readonly id: string;
  /** Id of what it belongs to, for readers that show threads. */
  readonly thread?: string;
}

const patienceMs = 20_000;

/** Resolves when the server has taken the mail for every recipient. The error tells no secret. */
export async function sendMail(server: MailServer, { from, to, subject, text, id, thread }: Mail): Promise<void> {
  const pass = server.user === undefined ? undefined : await server.password?.();
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    requireTLS: server.tls === 'starttls',
    ignoreTLS: server.tls === 'none',
    ...(server.ca === undefined ? {} : { tls: { ca: server.ca } }),
    ...(server.user === undefined ? {} : { auth: { user: server.user, pass } }),
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const sent = await transport.sendMail({
      from,
      to: [...to],
      subject,
      text,
      messageId: id,
      ...(thread === undefined ? {} : { inReplyTo: thread, references: thread }),
      // No answer by a machine (RFC 3834 §5).
      headers: { 'auto-submitted': 'auto-generated' },
    });
    if (sent.rejected.length > 0)
      throw new Error(`the server refused ${sent.rejected.length} of ${to.length} recipients`);
  } finally {
    transport.close();
  }
}
