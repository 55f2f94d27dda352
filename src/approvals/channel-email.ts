// The e-mail channel: plain text only, so that nothing in a statement is markup. The package is loaded with the first message.
import { type Notice, noticeWords, plainText } from './notice.ts';

export interface EmailOptions {
  readonly from: string;
  readonly to: readonly string[];
  readonly smtp: {
    readonly host: string;
    readonly port: number;
    /** `implicit` TLS from the first byte, `starttls` demanded, or `none` for a relay on this machine. */
    readonly tls: 'implicit' | 'starttls' | 'none';
    readonly ca?: string | Buffer;
    readonly user?: string;
    readonly password?: () => Promise<string>;
  };
}

const timeoutMs = 20_000;

export function emailChannel({ from, to, smtp }: EmailOptions) {
  return async (notice: Notice): Promise<void> => {
    const { createTransport } = await import('nodemailer');
    const { host, port, tls, ca, user, password } = smtp;
    const transport = createTransport({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      tls: { minVersion: 'TLSv1.2', ...(ca ? { ca } : {}) },
      ...(user === undefined ? {} : { auth: { user, pass: await password?.() } }),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    });
    try {
      const words = noticeWords(notice);
      const id = (name: string) => `<${name}@countersign>`;
      await transport.sendMail({
        from,
        to: [...to],
        subject: `[countersign] ${words.title}`,
        text: plainText(words),
        messageId: id(notice.id),
        // All of one request in one thread.
        inReplyTo: notice.kind === 'asked' ? undefined : id(notice.approval.id),
        references: id(notice.approval.id),
        headers: { 'auto-submitted': 'auto-generated', 'x-auto-response-suppress': 'All' },
      });
    } finally {
      transport.close();
    }
  };
}
