// What the server knows by name (prepared statements, portals), while answers are still under way (manual 53.2.3).

/** A change that the server has not confirmed yet; `undefined` closes the name. */
interface Tentative<T> {
  readonly value: T | undefined;
  readonly segment: number;
}

/** The name was changed in an earlier, unanswered segment: whether that change holds is not known yet. */
export const unsettled = Symbol('unsettled');

/**
 * Names of one kind. A segment is what stands between two Syncs: when one of its messages fails, all that follow it in the
 * segment are skipped by the server, and so are their changes here. Otherwise a failed re-Parse would leave us judging one text while the
 * server runs another (test: a failed Parse leaves the old statement in force).
 */
export class Names<T> {
  readonly #confirmed = new Map<string, T>();
  readonly #tentative = new Map<string, Tentative<T>>();

  get size(): number {
    return this.#confirmed.size + this.#tentative.size;
  }

  get(name: string, segment: number): T | undefined | typeof unsettled {
    const change = this.#tentative.size === 0 ? undefined : this.#tentative.get(name);
    if (change === undefined) return this.#confirmed.get(name);
    return change.segment === segment ? change.value : unsettled;
  }

  /** Proposing over an unanswered change of an earlier segment is sound: `get` of this segment sees this one, and `confirm` comes in order. */
  propose(name: string, value: T | undefined, segment: number): void {
    this.#tentative.set(name, { value, segment });
  }

  /** The server did what was proposed. Returns what the name stood for until then. */
  confirm(name: string, value: T | undefined): T | undefined {
    const before = this.#confirmed.get(name);
    if (value === undefined) this.#confirmed.delete(name);
    else this.#confirmed.set(name, value);
    if (this.#tentative.get(name)?.value === value) this.#tentative.delete(name);
    return before;
  }

  /** A message of `segment` failed: nothing of it that is still unconfirmed will happen. */
  fail(segment: number): void {
    for (const [name, change] of this.#tentative) if (change.segment === segment) this.#tentative.delete(name);
  }

  /** The server dropped all of them. */
  clear(): void {
    this.#confirmed.clear();
  }

  delete(name: string): T | undefined {
    const before = this.#confirmed.get(name);
    this.#confirmed.delete(name);
    return before;
  }

  /** What the server is known to hold. */
  confirmed(): IterableIterator<[string, T]> {
    return this.#confirmed.entries();
  }
}
