// The key providers that the configuration names: one wraps, all that are configured open. Plain data in, so that worker threads
// open their own.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { type KeyProvider, providerDown, severalProviders } from '../ledger/key-provider.ts';
import { fileKeyProvider, masterKeys } from '../ledger/master-key.ts';
import { secret, type SecretReference } from '../targets/secret.ts';
import { awsKmsProvider } from './aws-kms.ts';
import { gcpKmsProvider, metadataToken, serviceAccountToken } from './gcp-kms.ts';
import { openService, type Service } from './service-request.ts';
import { vaultProvider } from './vault.ts';

type File = { readonly file: string };

export interface KeySettings {
  readonly provider: 'file' | 'env' | 'vault' | 'aws-kms' | 'gcp-kms';
  readonly timeoutSeconds: number;
  readonly env?: { readonly key: { readonly env: string }; readonly former: readonly { readonly env: string }[] };
  readonly vault?: {
    readonly address: string;
    readonly mount: string;
    readonly key: string;
    readonly namespace?: string;
    readonly token: SecretReference;
    readonly ca?: File;
  };
  readonly 'aws-kms'?: {
    readonly region: string;
    readonly key: string;
    readonly endpoint?: string;
    readonly accessKeyId: SecretReference;
    readonly secretAccessKey: SecretReference;
    readonly sessionToken?: SecretReference;
    readonly ca?: File;
  };
  readonly 'gcp-kms'?: {
    readonly key: string;
    readonly endpoint?: string;
    readonly credentials?: File;
    readonly metadata: string;
    readonly ca?: File;
  };
}

/** What an opener needs to know: structured clone takes it to a thread. */
export interface KeyPlace {
  readonly state: string;
  /** Name of the log. */
  readonly origin: string;
  readonly keys: KeySettings;
}

/** Reads files and the environment; asks nothing over the network yet. Throws a Fault that names what is missing. */
export function openKeyProvider({ state, origin: named, keys }: KeyPlace): KeyProvider {
  const origin = firstLog(state) ?? named;
  const serviceFor = (ca: File | undefined): Service =>
    openService({ timeoutMs: keys.timeoutSeconds * 1_000, ...(ca ? { ca: readFileSync(ca.file) } : {}) });
  const makers: Record<KeySettings['provider'], () => KeyProvider | undefined> = {
    file: () =>
      keys.provider === 'file' || existsSync(join(state, 'master.key')) ? fileKeyProvider(state) : undefined,
    env() {
      const { env } = keys;
      if (!env) return undefined;
      return masterKeys(
        'env',
        masterFrom(env.key.env),
        env.former.map((one) => masterFrom(one.env)),
        false,
      );
    },
    vault() {
      const { vault } = keys;
      if (!vault) return undefined;
      const { token, ca, ...rest } = vault;
      return vaultProvider({ ...rest, origin, token: () => secretOf(token), service: serviceFor(ca) });
    },
    'aws-kms'() {
      const aws = keys['aws-kms'];
      if (!aws) return undefined;
      const { accessKeyId, secretAccessKey, sessionToken, ca, ...rest } = aws;
      const credentials = async () => ({
        accessKeyId: await secretOf(accessKeyId),
        secretAccessKey: await secretOf(secretAccessKey),
        ...(sessionToken ? { sessionToken: await secretOf(sessionToken) } : {}),
      });
      return awsKmsProvider({ ...rest, origin, credentials, service: serviceFor(ca) });
    },
    'gcp-kms'() {
      const gcp = keys['gcp-kms'];
      if (!gcp) return undefined;
      const { credentials, metadata, ca, ...rest } = gcp;
      const service = serviceFor(ca);
      const token = credentials
        ? serviceAccountToken(() => secretOf(credentials), service)
        : metadataToken(metadata, service);
      return gcpKmsProvider({ ...rest, origin, token, service });
    },
  };
  const current = makers[keys.provider]();
  if (!current) throw new Fault('ledger.unavailable', `The key provider ${keys.provider} is not configured.`);
  const others = Object.entries(makers).flatMap(([kind, make]) => (kind === keys.provider ? [] : (make() ?? [])));
  return others.length === 0 ? current : severalProviders(current, others);
}

/** Data keys are bound to the name of the log that they were made with, and serve those that continue it as well. */
function firstLog(state: string): string | undefined {
  const file = join(state, 'ledger.vkey');
  return existsSync(file) ? readFileSync(file, 'utf8').split('+')[0] : undefined;
}

/** 32 bytes in base64. The value itself is in no message. */
function masterFrom(name: string): Buffer {
  const text = process.env[name]?.trim() ?? '';
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 32 && bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')) return bytes;
  throw new Fault(
    'ledger.unavailable',
    `The environment variable ${name} does not hold 32 bytes in base64. Make them with: openssl rand -base64 32`,
  );
}

/** A credential that cannot be read is a provider that cannot be asked. The reason names the reference alone. */
function secretOf(reference: SecretReference): Promise<string> {
  return secret(reference).catch((cause: Error) => {
    throw providerDown('credentials', cause.message);
  });
}
