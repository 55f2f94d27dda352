// What no single field of `ledger.keys` can say: the provider that wraps is configured, and nothing travels in the clear.
import { type Broken, isLoopback } from './rule-parts.ts';
import type { Settings } from './schema.ts';

export function keysRules({ ledger: { keys } }: Settings): Broken[] {
  const broken: Broken[] = [];
  const path = ['ledger', 'keys'];
  const { provider } = keys;
  if (provider !== 'file' && !keys[provider])
    broken.push({
      path: [...path, 'provider'],
      message: `${provider} is not configured: add ${provider} beside it, with its key`,
    });
  const addresses = [
    [['vault', 'address'], keys.vault?.address],
    [['aws-kms', 'endpoint'], keys['aws-kms']?.endpoint],
    [['gcp-kms', 'endpoint'], keys['gcp-kms']?.endpoint],
  ] as const;
  for (const [at, address] of addresses) {
    if (address === undefined) continue;
    const { protocol, hostname } = new URL(address);
    if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
      broken.push({ path: [...path, ...at], message: 'keys would travel in the clear: write https://' });
  }
  return broken;
}
