// A backtest on a thread of its own: months of history must not hold up a statement that passes now.
import { parentPort, workerData } from 'node:worker_threads';
import { methodFor } from '../config/masks.ts';
import type { Method } from '../domain/mask.ts';
import { type KeyPlace, openKeyProvider } from '../keys/open-provider.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { openPolicy } from '../policy/policy.ts';
import { loadPolicies, type PolicyFile } from '../policy/policy-set.ts';
import { backtestLedger, type BacktestWish } from './backtest.ts';

export interface BacktestWork {
  readonly wish: BacktestWish;
  readonly files: readonly PolicyFile[];
  readonly ledger: string;
  readonly earlier?: readonly string[];
  readonly state: string;
  /** Who opens the keys; default: master.key of the state folder. */
  readonly keys?: KeyPlace;
  readonly masks: Readonly<Record<string, Method>>;
  readonly ttlSeconds: number;
  readonly sessionMs: number;
}

const { wish, files, ledger, earlier, state, keys: place, masks, ttlSeconds, sessionMs } = workerData as BacktestWork;
const keys = openKeyring(state, place && openKeyProvider(place));
const draft = openPolicy(loadPolicies(files, { ttlSeconds }), { methodFor: (label) => methodFor(masks, label) });
parentPort!.postMessage(await backtestLedger({ ...wish, ledger, earlier, keys, draft, sessionMs }));
keys.close();
