// Events as syslog messages (RFC 5424) over TCP with octet counting (RFC 6587, 3.4.1), over TLS as RFC 5425 has it. Never UDP: it
// loses silently. Syslog itself acknowledges nothing, so each delivery is a connection of its own: when the receiver closes its
// side after ours, without an error, it has read to the end (test: sinks.test.ts, "a receiver that goes away"). What it does with
// what it has read is its own: whoever needs its word for it takes http or otlp.
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { NotDelivered, type Outgoing, type Sink, type SyslogSinkOptions } from './sink.ts';

export function openSyslogSink(options: SyslogSinkOptions): Sink {
  const head = headOf(options.facility);
  let session: Buffer | undefined;

  function dial(): Socket {
    const { host, port, tls } = options;
    if (!tls) return connectTcp({ host, port });
    const pem = (of: { readonly file: string } | undefined) => of && readFileSync(of.file);
    const name = tls.name ?? host;
    const socket = connectTls({
      host,
      port,
      ...(isIP(name) ? {} : { servername: name }),
      ca: pem(tls.ca),
      cert: pem(tls.cert),
      key: pem(tls.key),
      session,
      minVersion: 'TLSv1.2',
    });
    socket.on('session', (fresh: Buffer) => {
      session = fresh;
    });
    return socket;
  }

  return {
    deliver(batch) {
      return new Promise((done, fail) => {
        let socket: Socket;
        try {
          socket = dial();
        } catch (cause) {
          fail(new NotDelivered('the certificates for syslog cannot be read', { cause }));
          return;
        }
        let sent = false;
        let closed = false;
        const lose = (what: string, cause?: unknown) => {
          if (closed) return;
          closed = true;
          session = undefined;
          clearTimeout(late);
          socket.destroy();
          fail(new NotDelivered(what, { cause }));
        };
        const late = setTimeout(
          () => lose(sent ? 'the syslog receiver did not close its side' : 'the syslog receiver is too slow'),
          options.timeoutSeconds * 1_000,
        );
        const send = () => {
          if (options.tls && !(socket as TLSSocket).authorized)
            return lose('the syslog receiver could not be verified');
          socket.write(Buffer.concat(batch.map((one) => frame(head, one))));
          socket.end(() => {
            sent = true;
          });
        };
        socket.once(options.tls ? 'secureConnect' : 'connect', send);
        // What a receiver says is not read; that it has no more to say is.
        socket.on('data', () => undefined);
        socket.once('end', () => {
          if (!sent) return lose('the syslog receiver closed the connection');
          closed = true;
          clearTimeout(late);
          socket.destroy();
          done();
        });
        socket.on('error', (cause: NodeJS.ErrnoException) =>
          lose(`syslog: ${cause.code ?? 'the connection broke'}`, cause),
        );
        socket.on('close', () => lose('the syslog receiver broke the connection'));
      });
    },
    async close() {},
  };
}

const severities: Readonly<Record<number, number>> = { 1: 6, 2: 5, 3: 4, 4: 3, 5: 2 };

/** Priority, version and time; then what is the same in every message. */
function headOf(facility: number): (of: Outgoing) => string {
  const host =
    hostname()
      .replace(/[^!-~]/g, '')
      .slice(0, 255) || '-';
  return ({ time, type, severity }) =>
    `<${facility * 8 + (severities[severity] ?? 6)}>1 ${new Date(time).toISOString()} ${host} countersign ${process.pid} ${type.slice(0, 32)}`;
}

const lastSequence = 2_147_483_647;

/**
 * `MSG-LEN SP SYSLOG-MSG`: its place in the log as structured data, and the event as the message. In ASCII alone: UTF-8 would need a
 * byte order mark, on which readers of JSON stumble.
 */
function frame(head: (of: Outgoing) => string, one: Outgoing): Buffer {
  const json = one.json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const message = `${head(one)} [meta sequenceId="${(one.index % lastSequence) + 1}"] ${json}`;
  return Buffer.from(`${message.length} ${message}`, 'latin1');
}
