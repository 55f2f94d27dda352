// What the configuration says, in the form that the parts take it: files are read, references to issuers followed.
import { readFileSync } from 'node:fs';

import type { Config } from '../config/config.ts';
import type { ListenerTls } from '../listeners/tls-server.ts';
import type { OAuthDiscovery } from '../protocols/postgres/oauthbearer.ts';
import type { TargetEntry } from '../session/target-link.ts';
import { builtInLabels } from '../sql/catalogue-labels.ts';
import { dialTarget, type TargetTls } from '../targets/dial.ts';
import { secret } from '../targets/secret.ts';

export function listenerTls({ cert, key, clientCa }: NonNullable<Config['listeners'][number]['tls']>): ListenerTls {
  return {
    cert: readFileSync(cert.file),
    key: readFileSync(key.file),
    ...(clientCa ? { ca: readFileSync(clientCa.file) } : {}),
  };
}

/** Where clients of OAUTHBEARER find their issuer; configuration has checked that it is there (OpenID Connect Discovery 1.0, 4). */
export function oauthOf(
  { oauth }: Config['listeners'][number],
  issuers: Config['issuers'],
): OAuthDiscovery | undefined {
  const issuer = oauth && issuers.find((one) => one.name === oauth.issuer)?.issuer;
  if (!oauth || issuer === undefined) return undefined;
  return {
    configuration: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    scope: oauth.scopes.join(' '),
  };
}

export function openTarget(of: Config['targets'][number]): TargetEntry {
  return {
    target: {
      name: of.name,
      protocol: of.protocol,
      host: of.host,
      port: of.port,
      database: of.database,
      ack: of.ack,
      recording: of.recording,
    },
    databases: of.databases,
    credential: {
      user: of.credential.user,
      tls: of.tls.mode,
      password: async () => (of.credential.password ? secret(of.credential.password) : undefined),
    },
    tls: tlsOf(of),
    // What the server itself keeps (passwords, samples of values) is labelled too: an untraceable value could be any of it.
    labels: [...new Set([...of.labels, ...builtInLabels].map((rule) => rule.label))],
    dial: () => dialTarget({ host: of.host, port: of.port }),
  };
}

function tlsOf(of: Config['targets'][number]): TargetTls | undefined {
  const { mode, ca, cert, key } = of.tls;
  if (mode === 'disable') return undefined;
  const pem = (file: { readonly file: string } | undefined) => file && readFileSync(file.file);
  return { mode, ca: pem(ca), cert: pem(cert), key: pem(key) };
}

export async function consoleOptions(config: Config) {
  const { signIn, tls, ...rest } = config.console;
  const issuer = signIn && config.issuers.find((one) => one.name === signIn.issuer);
  const audience = issuer && (typeof issuer.audience === 'string' ? issuer.audience : issuer.audience[0]);
  return {
    ...rest,
    ...(tls ? { tls: { cert: readFileSync(tls.cert.file), key: readFileSync(tls.key.file) } } : {}),
    ...(signIn && issuer
      ? {
          signIn: {
            issuer: issuer.issuer,
            clientId: signIn.clientId,
            scopes: signIn.scopes,
            ...(audience === undefined ? {} : { audience }),
            ...(signIn.clientSecret ? { clientSecret: await secret(signIn.clientSecret) } : {}),
          },
        }
      : {}),
  };
}
