// A certificate authority for tests: issues client and server certificates as told, right or wrong. PEM texts.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wish {
  /** Subject, such as `CN=agent`. */
  readonly name?: string;
  readonly names?: readonly { readonly type: 'url' | 'dns' | 'email'; readonly value: string }[];
  /** Milliseconds since the epoch. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly usage?: 'client' | 'server';
  /** Makes it an authority's. */
  readonly authority?: boolean;
}

export interface Authority {
  readonly cert: string;
  issue(wish?: Wish): Promise<Issued>;
  /** An authority below this one. */
  below(name: string): Promise<Authority>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 86_400_000;
let serial = 1;

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
type Keys = Awaited<ReturnType<typeof newKeys>>;

export async function newAuthority(name: string): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: (serial++).toString(16).padStart(4, '0'),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 10 * day),
    notAfter: new Date(Date.now() + 10 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: signs(),
  });
  return authority(cert, keys);
}

function authority(own: x509.X509Certificate, keys: Keys): Authority {
  const make = async (wish: Wish, extensions: x509.Extension[]) => {
    const fresh = await newKeys();
    const made = await x509.X509CertificateGenerator.create({
      serialNumber: (serial++).toString(16).padStart(4, '0'),
      subject: wish.name ?? 'CN=somebody',
      issuer: own.subject,
      notBefore: new Date(wish.notBefore ?? Date.now() - day),
      notAfter: new Date(wish.notAfter ?? Date.now() + day),
      signingAlgorithm: algorithm,
      publicKey: fresh.publicKey,
      signingKey: keys.privateKey,
      extensions,
    });
    return { made, fresh };
  };
  return {
    cert: pem(own),
    async issue(wish = {}) {
      const usage = wish.usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
      const { made, fresh } = await make(wish, [
        ...(wish.authority ? signs() : [new x509.BasicConstraintsExtension(false, undefined, true)]),
        new x509.ExtendedKeyUsageExtension([usage]),
        ...(wish.names ? [new x509.SubjectAlternativeNameExtension([...wish.names])] : []),
      ]);
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', fresh.privateKey));
      return { cert: pem(made), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
    },
    async below(name) {
      const { made, fresh } = await make({ name: `CN=${name}` }, signs());
      return authority(made, fresh);
    },
  };
}

function signs(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
  ];
}

/** Ends with a line break, so that several can follow one another. */
const pem = (certificate: x509.X509Certificate) => `${certificate.toString('pem').trim()}\n`;
