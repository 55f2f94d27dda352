// tls-server-end-point (RFC 5929 §4): the server certificate hashed with the hash of its own signature.
import { hash } from 'node:crypto';

/** Signature algorithms by their OID in DER, hex. MD5 and SHA-1 are replaced by SHA-256 (RFC 5929 §4.1). */
const hashes: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256',
  '2a864886f70d010105': 'sha256',
  '2a864886f70d01010e': 'sha224',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha256',
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};

/** `undefined` where the signature names no single hash, as Ed25519 and RSASSA-PSS: there is then no such binding. */
export function endpointHash(certificate: Buffer): Buffer | undefined {
  const outer = element(certificate, 0);
  const signed = outer && element(certificate, outer.start);
  const algorithm = signed && element(certificate, signed.end);
  const oid = algorithm && element(certificate, algorithm.start);
  const name = oid && hashes[certificate.toString('hex', oid.start, oid.end)];
  return name === undefined ? undefined : hash(name, certificate, 'buffer');
}

/** Content of the DER element at `at`; undefined where it does not fit. */
function element(der: Buffer, at: number): { start: number; end: number } | undefined {
  const first = der[at + 1];
  if (first === undefined) return undefined;
  const size = first < 0x80 ? 0 : first & 0x7f;
  if (size > 4 || at + 2 + size > der.length) return undefined;
  const start = at + 2 + size;
  const length = size === 0 ? first : der.readUIntBE(at + 2, size);
  return start + length > der.length ? undefined : { start, end: start + length };
}
