// `ledger.keys`: who wraps the keys of payloads and recordings. What is configured opens; `provider` alone wraps.
import { z } from 'zod';

const text = z.string().min(1).max(1_000);
const url = z.url({ protocol: /^https?$/, error: 'write a URL such as https://vault.example.org:8200' });
const file = z.strictObject({ file: text.describe('Path, relative to this configuration file.') });
const environment = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'write the name of an environment variable, such as LEDGER_KEY' })
    .describe('Name of an environment variable.'),
});
const secret = z.union([file, environment], {
  error: 'a secret is never written here: write { file: path } or { env: NAME }',
});
const ca = file.optional().describe('Authorities to trust, PEM. Default: those of the system.');
const segment = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  error: 'write a name of letters, digits, dots, dashes and underscores',
});
const path = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/, {
  error: 'write a path such as team/transit, without slashes at its ends',
});

export const keyProviders = ['file', 'env', 'vault', 'aws-kms', 'gcp-kms'] as const;

export const keysPart = z.strictObject({
  provider: z
    .enum(keyProviders)
    .default('file')
    .describe(
      'Who wraps new keys: `master.key` of the state folder, a key in the environment, or a key service. The others that are configured below only open.',
    ),
  timeoutSeconds: z.int().min(1).max(60).default(5).describe('Longest wait for one answer of a key service.'),
  env: z
    .strictObject({
      key: environment.describe('32 bytes in base64, as `openssl rand -base64 32` prints them.'),
      former: z.array(environment).max(20).default([]).describe('Earlier keys, which only open.'),
    })
    .optional()
    .describe('A key in the environment.'),
  vault: z
    .strictObject({
      address: url.describe('Where it answers. https, except on loopback.'),
      mount: path.max(200).default('transit').describe('Where the transit engine is mounted.'),
      key: segment.describe('Name of the transit key.'),
      namespace: path.max(200).optional().describe('Namespace, where there are any.'),
      token: secret.describe('Token; read again for each request, so that an agent may renew it.'),
      ca,
    })
    .optional()
    .describe('HashiCorp Vault’s transit engine, or OpenBao’s.'),
  'aws-kms': z
    .strictObject({
      region: z
        .string()
        .regex(/^[a-z0-9-]{1,40}$/, { error: 'write a region such as eu-central-1' })
        .describe('Region.'),
      key: text.max(200).describe('Key id, ARN, or alias such as `alias/countersign`.'),
      endpoint: url
        .optional()
        .describe('Endpoint, for private links. https, except on loopback. Default: the region’s.'),
      accessKeyId: secret.describe('Access key id; read again for each request.'),
      secretAccessKey: secret.describe('Secret access key.'),
      sessionToken: secret.optional().describe('Session token of temporary credentials.'),
      ca,
    })
    .optional()
    .describe('AWS KMS.'),
  'gcp-kms': z
    .strictObject({
      key: z
        .string()
        .max(240)
        .regex(/^projects\/[^/\s]+\/locations\/[^/\s]+\/keyRings\/[^/\s]+\/cryptoKeys\/[^/\s]+$/, {
          error: 'write projects/P/locations/L/keyRings/R/cryptoKeys/K',
        })
        .describe('Resource name of the crypto key.'),
      endpoint: url.optional().describe('Endpoint. https, except on loopback. Default: Google’s.'),
      credentials: file.optional().describe('Key of a service account, JSON. Without it the metadata server is asked.'),
      metadata: url.default('http://metadata.google.internal').describe('Metadata server.'),
      ca,
    })
    .optional()
    .describe('Google Cloud KMS.'),
});
