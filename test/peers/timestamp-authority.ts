// A time stamping authority: `openssl ts -reply` behind a small HTTP server, with a certificate authority of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Certificate, SignedData, TimeStampResp } from 'pkijs';

export interface TimestampAuthority {
  readonly url: string;
  /** Certificate of its authority: a file, and its text. */
  readonly caFile: string;
  readonly ca: string;
  /** What it is to do next: answer as it should, or otherwise. Stays so. */
  behave(how: Behaviour): void;
  /** How often it was asked. */
  asked(): number;
  stop(): Promise<void>;
}

export type Behaviour =
  | 'right'
  | 'down'
  /** Answers an earlier request: nonce and imprint are those of another one. */
  | 'replays'
  | 'garbage'
  | 'endless'
  /** Shows a certificate that is also for something else, whose purpose is not critical, or that is not the one it names. */
  | 'two-purposes'
  | 'not-critical'
  | 'swapped'
  /** Signs with a certificate of somebody else's authority. */
  | 'stranger';

const openssl = (folder: string, ...args: string[]) =>
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });

function makeCertificates(folder: string): void {
  for (const ca of ['ca', 'other-ca']) {
    const how = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30';
    openssl(folder, ...`${how} -subj /CN=${ca} -keyout ${ca}.key -out ${ca}.pem`.split(' '));
  }
  openssl(
    folder,
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=tsa',
    '-keyout',
    'tsa.key',
    '-out',
    'tsa.csr',
  );
  // Of one key and one number: any of them can be shown for the one that signed.
  for (const [name, purpose, days, ca] of [
    ['right', 'critical,timeStamping', 20, 'ca'],
    ['two-purposes', 'critical,timeStamping,serverAuth', 20, 'ca'],
    ['not-critical', 'timeStamping', 20, 'ca'],
    ['swapped', 'critical,timeStamping', 21, 'ca'],
    ['stranger', 'critical,timeStamping', 20, 'other-ca'],
  ] as const) {
    writeFileSync(join(folder, 'ext'), `extendedKeyUsage=${purpose}\nkeyUsage=critical,digitalSignature\n`);
    openssl(
      folder,
      ...`x509 -req -in tsa.csr -CA ${ca}.pem -CAkey ${ca}.key -set_serial 7 -days ${days} -extfile ext -out ${name}.pem`.split(
        ' ',
      ),
    );
  }
  writeFileSync(join(folder, 'serial'), '01\n');
  writeFileSync(
    join(folder, 'tsa.cnf'),
    [
      '[tsa]',
      'default_tsa = here',
      '[here]',
      'serial = serial',
      'default_policy = 1.2.3.4.1',
      'digests = sha256',
      'accuracy = secs:1',
      'ess_cert_id_chain = no',
      'ess_cert_id_alg = sha256',
      'signer_digest = sha256',
      '',
    ].join('\n'),
  );
}

/** The same answer with another certificate in it. */
function showing(answer: Buffer, pem: string): Buffer {
  const response = TimeStampResp.fromBER(answer);
  const signed = new SignedData({ schema: response.timeStampToken!.content });
  signed.certificates = [Certificate.fromBER(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'))];
  response.timeStampToken!.content = signed.toSchema(true);
  return Buffer.from(response.toSchema().toBER());
}

export async function timestampAuthority(): Promise<TimestampAuthority> {
  const folder = mkdtempSync(join(tmpdir(), 'tsa-'));
  makeCertificates(folder);
  let how: Behaviour = 'right';
  let asked = 0;
  let before: Buffer | undefined;

  function stamp(query: Buffer, name: string): Buffer {
    writeFileSync(join(folder, 'query'), query);
    // openssl stamps with no certificate of the wrong purpose: the right one signs, and another is shown.
    const signer = name === 'stranger' ? name : 'right';
    openssl(
      folder,
      ...`ts -reply -config tsa.cnf -section here -queryfile query -signer ${signer}.pem -inkey tsa.key -out answer`.split(
        ' ',
      ),
    );
    const answer = readFileSync(join(folder, 'answer'));
    return signer === name ? answer : showing(answer, readFileSync(join(folder, `${name}.pem`), 'utf8'));
  }

  const server = createServer((request, reply) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked++;
      if (how === 'down') return reply.writeHead(503).end();
      reply.writeHead(200, { 'content-type': 'application/timestamp-reply' });
      if (how === 'garbage') return reply.end('not a time stamp');
      if (how === 'endless') return reply.end(Buffer.alloc(1024 * 1024));
      if (how === 'replays' && before) return reply.end(before);
      const answer = stamp(Buffer.concat(parts), how === 'replays' ? 'right' : how);
      before ??= answer;
      return reply.end(answer);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const caFile = join(folder, 'ca.pem');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    caFile,
    ca: readFileSync(caFile, 'utf8'),
    behave(next) {
      how = next;
    },
    asked: () => asked,
    async stop() {
      await new Promise((closed) => server.close(closed));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
