// The policy in force. A set is recorded before it decides anything, so that every decision in the ledger can be made
// again from the texts that stand before it.
import type { Ledger } from '../ledger/ledger.ts';
import type { Policy } from '../policy/policy.ts';

export interface PolicyHolder {
  /** Throws until a first policy was activated. */
  readonly current: Policy;
  /** Records the set, then puts it in force. The same version again does nothing. Rejects with a Fault when the ledger fails. */
  activate(policy: Policy): Promise<void>;
}

export function openPolicyHolder(ledger: Pick<Ledger, 'append'>): PolicyHolder {
  let current: Policy | undefined;
  let last: Promise<void> = Promise.resolve();
  async function put(policy: Policy): Promise<void> {
    if (current?.version === policy.version) return;
    const files = policy.set.files.map((file) => ({ name: file.name, text: file.text }));
    const facts = { version: policy.version, previous: current?.version, rules: policy.set.rules.size };
    await ledger.append({ type: 'policy.version', facts, payload: { admin: { files } } }, 'synced').durable;
    current = policy;
  }
  return {
    get current() {
      if (!current) throw new Error('no policy was activated');
      return current;
    },
    activate(policy) {
      last = last.catch(() => {}).then(() => put(policy));
      return last;
    },
  };
}
