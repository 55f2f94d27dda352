// AWS KMS as the wrapper of data keys: Encrypt and Decrypt with an encryption context of the log and the key's id, so that a
// wrapped key opens in its log and under its id alone, and CloudTrail says which key was opened.
import { AwsV4Signer } from 'aws4fetch';
import { type KeyProvider, providerDown, readStoredForm, storedForm } from '../ledger/key-provider.ts';
import { eachOf, type Service, type ServiceAnswer, ServiceSilent, textOf } from './service-request.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsKmsOptions {
  readonly region: string;
  /** Key id, ARN or alias. */
  readonly key: string;
  readonly endpoint?: string;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly origin: string;
  readonly service: Service;
}

/** Requests at once. */
const width = 16;

export function awsKmsProvider(options: AwsKmsOptions): KeyProvider {
  const { service, region, key } = options;
  const label = `aws-kms:${key}`;
  const url = `${(options.endpoint ?? `https://kms.${region}.amazonaws.com`).replace(/\/+$/, '')}/`;
  const context = (id: string) => ({ 'countersign:log': options.origin, 'countersign:key': id });

  async function call(what: 'Encrypt' | 'Decrypt', parameters: object): Promise<ServiceAnswer> {
    try {
      const answer = await service.ask(async () => {
        const signed = await new AwsV4Signer({
          method: 'POST',
          url,
          region,
          service: 'kms',
          headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${what}` },
          body: JSON.stringify({ KeyId: key, ...parameters }),
          // aws4fetch leaves the content type out of what it signs unless told.
          allHeaders: true,
          ...(await options.credentials()),
        }).sign();
        const headers = Object.fromEntries(signed.headers.entries());
        return { method: 'POST', url: signed.url.href, headers, body: signed.body as string };
      });
      if (answer.status === 200) return answer;
      const kind = typeOf(answer);
      if (what === 'Decrypt' && unopenable.has(kind)) return answer;
      throw providerDown(label, `it answers ${kind || answer.status}`);
    } catch (cause) {
      if (cause instanceof ServiceSilent) throw providerDown(label, cause.message);
      throw cause;
    }
  }

  return {
    label,
    opens: (name) => name === label,
    wrap: (keys) =>
      eachOf(keys, width, async ({ id, dek }) => {
        const { body } = await call('Encrypt', { Plaintext: dek.toString('base64'), EncryptionContext: context(id) });
        const blob = textOf(body, 'CiphertextBlob');
        if (!blob) throw providerDown(label, 'it does not encrypt with this key');
        return storedForm(label, Buffer.from(blob, 'base64'));
      }),
    unwrap: (keys) =>
      eachOf(keys, width, async ({ id, wrapped }) => {
        const { bytes } = readStoredForm(wrapped)!;
        const { status, body } = await call('Decrypt', {
          CiphertextBlob: bytes.toString('base64'),
          EncryptionContext: context(id),
        });
        const dek = Buffer.from(textOf(body, 'Plaintext') ?? '', 'base64');
        return status === 200 && dek.length === 32 ? dek : 'AWS KMS does not open it for this log and id';
      }),
    close: () => service.close(),
  };
}

/** What is wrong is the ciphertext, not the service. */
const unopenable: ReadonlySet<string> = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);

/** The name of an exception; only names, since messages may quote. */
function typeOf({ body }: ServiceAnswer): string {
  return /(?:^|#)([A-Za-z]{1,80})$/.exec(textOf(body, '__type') ?? '')?.[1] ?? '';
}
