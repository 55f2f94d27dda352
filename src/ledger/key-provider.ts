// Who wraps data keys. One small interface: a key in a file or the environment, or a key service that is asked over the network
// (src/keys). Beside each wrapped key stands the label of the key that wrapped it, so that several may be in use at one time.
import { Fault } from '../domain/fault.ts';

export interface DataKey {
  readonly id: string;
  /** 32 bytes. */
  readonly dek: Buffer;
}

export interface WrappedKey {
  readonly id: string;
  readonly wrapped: Buffer;
}

export interface KeyProvider {
  /** Names the wrapping key: kind, and which one. At most 255 bytes; no secret. */
  readonly label: string;
  /** Wraps all or none, each bound to its id. Rejects with Fault('ledger.unavailable') when the provider does not. */
  wrap(keys: readonly DataKey[]): Promise<Buffer[]>;
  /** The keys in the same order; a string says why one does not open. Rejects with a Fault when the provider cannot be asked. */
  unwrap(keys: readonly WrappedKey[]): Promise<(Buffer | string)[]>;
  /** Only where nothing has to be waited for. */
  readonly wrapNow?: (key: DataKey) => Buffer;
  /** Whether this provider opens what carries the label; undefined is the first form, of master.key alone. */
  opens(label: string | undefined): boolean;
  /** Replaces the wrapping key by a new one; what the old one wrapped still opens. Absent where somebody else does that. */
  readonly renew?: () => void;
  /** Forgets wrapping keys that no row needs any more. */
  readonly forgetOld?: () => void;
  close?(): void;
}

/** The first form had no label: version, nonce, ciphertext, tag under the only master key. */
export const firstForm = 1;
const labelled = 2;

/** A wrapped key as it is stored: 0x02, length of the label, label, what the provider made of it. */
export function storedForm(label: string, bytes: Uint8Array): Buffer {
  const name = Buffer.from(label);
  if (name.length > 255) throw new TypeError('the label of a wrapping key is at most 255 bytes');
  return Buffer.concat([Buffer.from([labelled, name.length]), name, bytes]);
}

/** The label and what the provider made; undefined when it is no stored form. The first form has no label. */
export function readStoredForm(stored: Buffer): { readonly label?: string; readonly bytes: Buffer } | undefined {
  if (stored[0] === firstForm) return { bytes: stored };
  if (stored[0] !== labelled || stored.length < 2 || stored.length < 2 + stored[1]!) return undefined;
  const end = 2 + stored[1]!;
  return { label: stored.toString('utf8', 2, end), bytes: stored.subarray(end) };
}

/** Wraps with the first; opens what any of them wrapped. */
export function severalProviders(current: KeyProvider, others: readonly KeyProvider[]): KeyProvider {
  const all = [current, ...others];
  const opener = (stored: Buffer) => {
    const form = readStoredForm(stored);
    return form && all.find((one) => one.opens(form.label));
  };
  return {
    get label() {
      return current.label;
    },
    wrap: (keys) => current.wrap(keys),
    ...(current.wrapNow ? { wrapNow: current.wrapNow } : {}),
    ...(current.renew ? { renew: current.renew } : {}),
    ...(current.forgetOld ? { forgetOld: current.forgetOld } : {}),
    opens: (label) => all.some((one) => one.opens(label)),
    async unwrap(keys) {
      const found: (Buffer | string)[] = keys.map(({ wrapped }) => strange(wrapped));
      for (const one of all) {
        const places = keys.flatMap((key, place) => (opener(key.wrapped) === one ? [place] : []));
        if (places.length === 0) continue;
        const opened = await one.unwrap(places.map((place) => keys[place]!));
        for (const [at, place] of places.entries()) found[place] = opened[at]!;
      }
      return found;
    },
    close: () => all.forEach((one) => one.close?.()),
  };
}

function strange(wrapped: Buffer): string {
  const form = readStoredForm(wrapped);
  if (form === undefined) return 'it is not a wrapped key';
  return `it was wrapped by ${form.label ?? 'the master key of a file'}, which no provider of the configuration opens`;
}

/** What a provider that cannot be asked makes of everything. The cause never holds a secret. */
export function providerDown(label: string, why: string): Fault {
  return new Fault(
    'ledger.unavailable',
    'The key provider does not answer, so nothing new can be sealed. Try again in a moment.',
    new Error(`${label}: ${why}`),
  );
}
