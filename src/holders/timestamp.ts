// RFC 3161: asking for a time stamp, and judging the answer before anything is kept of it. Here is all of the cryptography
// that the verifier leaves to `openssl ts -verify`: signature, chain, purpose and binding of the authority's certificate.
import { createHash } from 'node:crypto';
import { Integer, type BaseBlock, OctetString, Sequence } from 'asn1js';
import {
  AlgorithmIdentifier,
  type Attribute,
  Certificate,
  type ExtKeyUsage,
  MessageImprint,
  SignedData,
  TimeStampReq,
  TimeStampResp,
  TSTInfo,
} from 'pkijs';

const sha256Name = '2.16.840.1.101.3.4.2.1';
const tstInfoType = '1.2.840.113549.1.9.16.1.4';
const timeStamping = '1.3.6.1.5.5.7.3.8';
const extendedKeyUsage = '2.5.29.37';
const certificateBinding = { v1: '1.2.840.113549.1.9.16.2.12', v2: '1.2.840.113549.1.9.16.2.47' };
const hashNames: Readonly<Record<string, string>> = {
  [sha256Name]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** How far an authority's clock may be from ours. */
const clocksMs = 300_000;

export interface Wish {
  readonly text: Buffer;
  /** Random: what comes back must hold it. */
  readonly nonce: Buffer;
}

export interface Judged {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** SHA-256 of the authority's certificate, hex. */
  readonly tsa: string;
}

/** Why an answer is no time stamp of what was sent. */
export class TimestampRefused extends Error {}

const no = (why: string): never => {
  throw new TimestampRefused(why);
};

const bytesOf = (block: BaseBlock | undefined): Buffer =>
  block instanceof OctetString ? Buffer.from(block.getValue()) : no('it has no octets where they must be');

/** A positive INTEGER that keeps every bit of the nonce. */
const integerOf = (nonce: Buffer) => new Integer({ valueHex: Uint8Array.from([1, ...nonce]).buffer });

export function timestampRequest({ text, nonce }: Wish): Buffer {
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: sha256Name }),
      hashedMessage: new OctetString({ valueHex: Uint8Array.from(createHash('sha256').update(text).digest()).buffer }),
    }),
    nonce: integerOf(nonce),
    certReq: true,
  });
  return Buffer.from(request.toSchema().toBER());
}

/** Certificates of a PEM text. */
export function authoritiesOf(pem: string): Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => Certificate.fromBER(Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64')));
}

/** Judges the bytes of an answer; TimestampRefused, in words, for all that is not a good stamp of this wish. */
export async function judgeTimestamp(
  answer: Buffer,
  { text, nonce }: Wish,
  authorities: readonly Certificate[],
  now: number,
): Promise<Judged> {
  const response = read(() => TimeStampResp.fromBER(answer));
  const status = response.status.status as number;
  if (status > 1) no(`it was refused with status ${status}`);
  const content = response.timeStampToken ?? no('it holds no token');
  const signed = read(() => new SignedData({ schema: content.content as BaseBlock }));
  if (signed.encapContentInfo.eContentType !== tstInfoType) no('it stamps nothing');
  const info = read(() => TSTInfo.fromBER(signed.encapContentInfo.eContent!.getValue()));
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  const imprint = createHash('sha256').update(text).digest();
  if (hashAlgorithm.algorithmId !== sha256Name || !imprint.equals(bytesOf(hashedMessage)))
    no('it is of something else');
  const theirs = info.nonce && Buffer.from(info.nonce.valueBlock.valueHexView);
  if (!theirs?.equals(Buffer.from(integerOf(nonce).valueBlock.valueHexView))) no('it answers another request');
  const at = info.genTime.getTime();
  if (!(Math.abs(at - now) <= clocksMs)) no(`its time is ${info.genTime.toISOString()}, far from ours`);
  if (signed.signerInfos.length !== 1) no('it has not one signature');
  const found = await signed
    .verify({
      signer: 0,
      data: Uint8Array.from(text).buffer,
      trustedCerts: [...authorities],
      checkChain: true,
      extendedMode: true,
    })
    .catch((cause: Error) => no(cause.message));
  const certificate = found.signerCertificate;
  if (!found.signatureVerified || !found.signerCertificateVerified || !certificate)
    return no('its signature does not verify');
  const usage = certificate.extensions?.find(({ extnID }) => extnID === extendedKeyUsage);
  const purposes = (usage?.parsedValue as ExtKeyUsage | undefined)?.keyPurposes;
  if (!usage?.critical || purposes?.length !== 1 || purposes[0] !== timeStamping)
    no('its certificate is not for time stamps alone');
  const der = Buffer.from(certificate.toSchema(false).toBER());
  if (!isBound(signed.signerInfos[0]!.signedAttrs?.attributes ?? [], der)) no('it does not name its certificate');
  return { at, tsa: createHash('sha256').update(der).digest('hex') };
}

/** Whether the signed attributes name this certificate: ESSCertID or ESSCertIDv2 (RFC 5035). */
function isBound(attributes: readonly Attribute[], certificate: Buffer): boolean {
  const named = attributes.filter(({ type }) => type === certificateBinding.v1 || type === certificateBinding.v2);
  return named.some(({ type, values }) => {
    const first = childrenOf(childrenOf((values as BaseBlock[])[0])[0])[0];
    const parts = childrenOf(first);
    // A version 2 whose hash is not SHA-256 says so first.
    const algorithm = parts[0] instanceof Sequence ? childrenOf(parts[0])[0]?.valueBlock.toString() : sha256Name;
    const hash = parts.find((part) => part instanceof OctetString);
    const name = type === certificateBinding.v1 ? 'sha1' : hashNames[algorithm ?? ''];
    return (
      name !== undefined && hash !== undefined && createHash(name).update(certificate).digest().equals(bytesOf(hash))
    );
  });
}

function childrenOf(block: BaseBlock | undefined): BaseBlock[] {
  return block instanceof Sequence ? (block.valueBlock.value as BaseBlock[]) : [];
}

function read<T>(reading: () => T): T {
  try {
    return reading();
  } catch {
    return no('it is not a time stamp');
  }
}
