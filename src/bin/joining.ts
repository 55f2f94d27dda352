// What joins our record to a target's own: which process served whom, and which texts are the gateway's own (docs/reconcile.md).
import { hash } from 'node:crypto';
import type { Target } from '../domain/target.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { catalogueTexts } from '../protocols/postgres/catalogues.ts';
import { readingTexts } from '../protocols/postgres/conversation-reading.ts';
import type { Backend } from '../protocols/protocol.ts';
import { activityQuery } from '../reconcile/activity.ts';
import { reachedDraft } from '../session/records.ts';

/** Digests of all that the gateway asks targets by itself, for `gateway.start`: recorded before any of it is asked. */
export function ownTexts(): string[] {
  return [
    ...new Set([...catalogueTexts, ...readingTexts, activityQuery].map((text) => hash('sha256', text).slice(0, 16))),
  ].sort();
}

export interface OwnConnections {
  /** Puts a connection of the gateway's own on record; resolves when that is durable. */
  reached(target: Target, database: string, backend: Backend): Promise<void>;
  /** Those that read catalogues of a target: the newest of each database. */
  of(target: string): readonly Backend[];
}

export function openOwnConnections(ledger: Pick<Ledger, 'append'>): OwnConnections {
  const newest = new Map<string, Map<string, Backend>>();
  return {
    async reached(target, database, backend) {
      const databases = newest.get(target.name) ?? new Map<string, Backend>();
      newest.set(target.name, databases.set(database, backend));
      await ledger.append(reachedDraft(backend, { target: target.name, database }, undefined), 'written').durable;
    },
    of: (target) => [...(newest.get(target)?.values() ?? [])],
  };
}
