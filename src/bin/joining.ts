// What joins our record to a target's own: which process served whom, and which texts are the gateway's own (docs/reconcile.md).
import { hash } from 'node:crypto';
import type { Target } from '../domain/target.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { catalogueTexts } from '../protocols/postgres/catalogues.ts';
import { readingTexts } from '../protocols/postgres/conversation-reading.ts';
import type { Backend } from '../protocols/protocol.ts';
import { reachedDraft } from '../session/records.ts';

/** Digests of all that the gateway asks targets by itself, for `gateway.start`: recorded before any of it is asked. */
export function ownTexts(): string[] {
  return [...new Set([...catalogueTexts, ...readingTexts].map((text) => hash('sha256', text).slice(0, 16)))].sort();
}

/** Puts a connection of the gateway's own on record; resolves when that is durable. */
export async function recordOwn(
  ledger: Pick<Ledger, 'append'>,
  target: Target,
  database: string,
  backend: Backend,
): Promise<void> {
  await ledger.append(reachedDraft(backend, { target: target.name, database }, undefined), 'written').durable;
}
