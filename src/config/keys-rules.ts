// What no single field of `ledger.keys` and `retention` can say: the provider that wraps is configured, nothing travels in the
// clear, rules have names of their own and name targets that there are.
import { type Broken, isLoopback } from './rule-parts.ts';
import type { Settings } from './schema.ts';

export function keysRules({ ledger: { keys }, retention, targets }: Settings): Broken[] {
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
  const ids = retention.rules.map((rule) => rule.id);
  for (const [index, rule] of ids.entries())
    if (rule === 'gateway' || ids.indexOf(rule) < index)
      broken.push({
        path: ['retention', 'rules', index, 'id'],
        message: 'this name is taken: choose another',
      });
  const known = new Set(targets.map((target) => target.name));
  for (const [index, { targets: named }] of retention.rules.entries())
    for (const [at, name] of (named ?? []).entries())
      if (!known.has(name))
        broken.push({
          path: ['retention', 'rules', index, 'targets', at],
          message: 'no target has this name: write one of `targets`',
        });
  return broken;
}
