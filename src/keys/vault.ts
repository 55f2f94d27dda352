// HashiCorp Vault's transit engine (and OpenBao's) as the wrapper of data keys: many in one request. Key versions are Vault's own
// affair: a ciphertext names the version that made it, and earlier ones open as long as Vault's min_decryption_version lets them.
import { hash } from 'node:crypto';
import { type DataKey, type KeyProvider, providerDown, readStoredForm, storedForm } from '../ledger/key-provider.ts';
import { type Service, type ServiceAnswer, ServiceSilent, textOf } from './service-request.ts';

export interface VaultOptions {
  /** Such as https://vault.example.org:8200. */
  readonly address: string;
  readonly mount: string;
  readonly key: string;
  readonly namespace?: string;
  readonly token: () => Promise<string>;
  /** Name of the log: a wrapped key opens for it alone. */
  readonly origin: string;
  readonly service: Service;
}

/** Keys in one request; Vault takes up to 32 MiB. */
const most = 1_000;

export function vaultProvider(options: VaultOptions): KeyProvider {
  const { service, origin } = options;
  const label = `vault:${options.namespace ? `${options.namespace}/` : ''}${options.mount}/${options.key}`;
  const base = options.address.replace(/\/+$/, '');

  async function call(what: 'encrypt' | 'decrypt', batch: readonly object[]): Promise<Record<string, unknown>[]> {
    let answer: ServiceAnswer;
    try {
      answer = await service.ask(async () => ({
        method: 'POST',
        url: `${base}/v1/${options.mount}/${what}/${options.key}`,
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          'x-vault-token': await options.token(),
          ...(options.namespace ? { 'x-vault-namespace': options.namespace } : {}),
        },
        body: JSON.stringify({ batch_input: batch }),
      }));
    } catch (cause) {
      if (cause instanceof ServiceSilent) throw providerDown(label, cause.message);
      throw cause;
    }
    const results = (answer.body as { data?: { batch_results?: unknown } } | undefined)?.data?.batch_results;
    // One bad item makes the whole answer a 400, and the others are in it all the same.
    if (Array.isArray(results) && results.length === batch.length && (answer.status === 200 || answer.status === 400))
      return results as Record<string, unknown>[];
    throw providerDown(label, meaning(answer));
  }

  return {
    label,
    opens: (name) => name === label,
    async wrap(keys) {
      const wrapped: Buffer[] = [];
      for (const some of portions(keys)) {
        const results = await call(
          'encrypt',
          some.map((key) => ({ plaintext: Buffer.concat([key.dek, tie(origin, key)]).toString('base64') })),
        );
        for (const result of results) {
          const ciphertext = textOf(result, 'ciphertext');
          if (ciphertext === undefined || !/^vault:v\d{1,9}:[\w+/=-]+$/.test(ciphertext))
            throw providerDown(label, 'it does not encrypt with this key');
          wrapped.push(storedForm(label, Buffer.from(ciphertext, 'latin1')));
        }
      }
      return wrapped;
    },
    async unwrap(keys) {
      const opened: (Buffer | string)[] = [];
      for (const some of portions(keys)) {
        const results = await call(
          'decrypt',
          some.map(({ wrapped }) => ({ ciphertext: readStoredForm(wrapped)!.bytes.toString('latin1') })),
        );
        for (const [at, result] of results.entries()) {
          const bytes = Buffer.from(textOf(result, 'plaintext') ?? '', 'base64');
          if (bytes.length !== 32 + 16) opened.push(`Vault does not open it with ${options.key}`);
          else if (!bytes.subarray(32).equals(tie(origin, some[at]!))) opened.push('it belongs to another key or log');
          else opened.push(bytes.subarray(0, 32));
        }
      }
      return opened;
    },
    close: () => service.close(),
  };
}

/** Stands behind the key in the plaintext, so that a wrapped key opens under its id and in its log alone, whatever the type of Vault's key. */
function tie(origin: string, { id }: Pick<DataKey, 'id'>): Buffer {
  return hash('sha256', `countersign-key/v1\n${origin}\n${id}`, 'buffer').subarray(0, 16);
}

function* portions<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += most) yield all.slice(at, at + most);
}

/** In words of ours: what Vault writes may quote what it was sent. */
function meaning({ status }: ServiceAnswer): string {
  switch (status) {
    case 400:
      return 'it refuses the request (400): is there such a key, and may it encrypt and decrypt?';
    case 403:
      return 'it refuses the token (403): give one whose policy allows update on encrypt and decrypt of this key';
    case 404:
      return 'it has no such mount or namespace (404)';
    case 503:
      return 'it is sealed or in maintenance (503)';
    default:
      return `it answers ${status}`;
  }
}
