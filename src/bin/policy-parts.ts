// What the API shows of the policies: over the set in force, the catalogues of the targets and the ledger's history.
import type { PolicyParts } from '../api/policy-routes.ts';
import { explainStatement } from '../policy/explain-statement.ts';
import type { PolicyOptions } from '../policy/policy.ts';
import type { Catalogues } from '../protocols/postgres/catalogues.ts';
import type { PolicyHolder } from '../session/policy-holder.ts';
import type { TargetEntry } from '../session/target-link.ts';
import type { Backtester } from '../store/backtester.ts';

export interface PolicyPlaces extends PolicyOptions {
  readonly targets: ReadonlyMap<string, TargetEntry>;
  readonly policies: PolicyHolder;
  readonly catalogues: Catalogues;
  readonly backtester: Backtester;
}

export function policyParts({ targets, policies, catalogues, backtester, methodFor }: PolicyPlaces): PolicyParts {
  return {
    current: () => policies.current.set,
    surroundings: { targets: [...targets.keys()], labels: [...targets.values()].flatMap((entry) => entry.labels) },
    async explain({ statement, target, database: named, principal }) {
      const entry = targets.get(target);
      const database = named ?? entry?.target.database ?? '';
      if (!entry || !(entry.databases ?? [entry.target.database]).includes(database)) return undefined;
      const catalogue = await catalogues.of(entry.target, database).current();
      const role = entry.credential.user;
      // What a role finds where nothing else was set for it.
      const scope = { catalogue, searchPath: ['pg_catalog', role, 'public'], role };
      const question = { principal, target, database, labels: entry.labels, time: Date.now() };
      return explainStatement(policies.current.set, statement, scope, question, methodFor);
    },
    backtest: (files, wish) => backtester.run(files, wish),
  };
}
