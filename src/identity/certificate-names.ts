// Names in a certificate (RFC 5280, 4.1.2.6 and 4.2.1.6), read from Node's rendering of them. What cannot be read in one way
// only yields no name at all.
import type { X509Certificate } from 'node:crypto';

const types = { uri: 'URI', dns: 'DNS', email: 'email' } as const;

/** All alternative names of one type. Throws nothing: a list that cannot be read has none. */
export function alternativeNames(certificate: X509Certificate, of: keyof typeof types): string[] {
  const text = certificate.subjectAltName ?? '';
  const found: string[] = [];
  // `TYPE:value, TYPE:"value as JSON"`: Node quotes values that hold a comma, a quote or anything that is not plain.
  const entry = /([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?:, |$)/y;
  while (entry.lastIndex < text.length) {
    const match = entry.exec(text);
    if (match === null) return [];
    const [, type, quoted, plain] = match;
    if (type === types[of]) found.push(quoted === undefined ? (plain ?? '') : unquoted(quoted));
  }
  return found;
}

/** Empty, which is nobody's name, when it is not the JSON that it looks like. */
function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}

/** All common names of the subject. */
export function commonName(certificate: X509Certificate): string[] {
  const { CN: names } = certificate.toLegacyObject().subject as { CN?: string | string[] };
  return names === undefined ? [] : [names].flat();
}
