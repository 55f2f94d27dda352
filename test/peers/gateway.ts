// A whole gateway as it is served, in the test's own process, with an issuer whose tokens the test makes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import pino from 'pino';
import { serve } from '../../src/bin/serve.ts';
import { dataPaths, loadConfig } from '../../src/config/config.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { freePort } from './postgres.ts';

export interface TestIssuer {
  /** For `issuers` of the configuration, without `principal`. */
  readonly entry: { readonly name: string; readonly issuer: string; readonly audience: string; readonly jwks: object };
  /** A token that is good for an hour. */
  token(subject: string, claims: JWTPayload): Promise<string>;
}

/** Its keys stand in `jwks.json` of the folder. */
export async function testIssuer(folder: string): Promise<TestIssuer> {
  const issuer = 'https://issuer.example';
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k', use: 'sig' }] };
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(jwks));
  return {
    entry: { name: 'test', issuer, audience: 'countersign', jwks: { file: 'jwks.json' } },
    token: (subject, claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(issuer)
        .setAudience('countersign')
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}

export interface TestGateway {
  readonly port: number;
  /** Port of the console and the API. */
  readonly console: number;
  /** Its public key. */
  readonly vkey: string;
  /** Its ledger folder. */
  readonly ledger: string;
  /** What it logged as a warning or worse. */
  readonly complaints: string[];
  stop(): Promise<void>;
}

/** `configuration` without version, gateway and console; a ledger is made for it. Paths are relative to the folder. */
export async function startGateway(folder: string, configuration: object): Promise<TestGateway> {
  const port = await freePort();
  mkdirSync(join(folder, 'data'), { recursive: true });
  const file = join(folder, 'countersign.yaml');
  const console = { port, url: `http://127.0.0.1:${port}` };
  const gateway = { name: 'test', origin: 'test.example/gateway' };
  // YAML is a superset of JSON.
  writeFileSync(file, JSON.stringify({ version: 1, gateway, console, ...configuration }));
  const config = loadConfig(file);
  const { ledger, state } = dataPaths(config);
  await createLedger({ folder: ledger, state, origin: gateway.origin, gateway: gateway.name, config: config.digest });
  const complaints: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void complaints.push(line) });
  const running = await serve(config, log);
  return {
    port: running.listeners[0]!.port,
    console: port,
    vkey: readFileSync(join(state, 'ledger.vkey'), 'utf8').trim(),
    ledger,
    complaints,
    stop: () => running.stop('the tests are over'),
  };
}
