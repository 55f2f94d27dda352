// COPY in binary format: a signature, then rows of counted fields; every length may be cut anywhere.
import { Held, notOfForm } from './copy-held.ts';
import type { MaskValue } from './method.ts';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');

type Step = 'signature' | 'flags' | 'extensionLength' | 'count' | 'length' | 'value' | 'ended';

export class BinaryRows {
  readonly #masks: readonly (MaskValue | null)[];
  readonly #held = new Held();
  #out: Buffer[] = [];
  #step: Step = 'signature';
  /** Bytes that the current step still needs. */
  #need: number = signature.length;
  #small: number[] = [];
  #column = 0;

  constructor(masks: readonly (MaskValue | null)[]) {
    this.#masks = masks;
  }

  push(chunk: Buffer): Buffer {
    let at = 0;
    while (at < chunk.length) {
      if (this.#step === 'ended') throw notOfForm();
      const size = Math.min(this.#need, chunk.length - at);
      const piece = chunk.subarray(at, at + size);
      at += size;
      this.#need -= size;
      if (this.#step === 'value' && this.#masks[this.#column]) this.#held.add(piece);
      else if (this.#step === 'value') this.#out.push(piece);
      else this.#small.push(...piece);
      if (this.#need === 0) this.#advance();
    }
    return this.#take();
  }

  end(): Buffer {
    if (this.#step !== 'ended') throw notOfForm();
    return this.#take();
  }

  #advance(): void {
    if (this.#step === 'value') {
      const mask = this.#masks[this.#column];
      if (mask) this.#value(mask(this.#held.take()));
      return this.#nextColumn();
    }
    const bytes = Buffer.from(this.#small);
    this.#small = [];
    switch (this.#step) {
      case 'signature':
        if (!bytes.equals(signature)) throw notOfForm();
        this.#out.push(bytes);
        return this.#expect('flags', 4);
      case 'flags':
        // Critical bits: OIDs of old servers, and what is not known.
        if (bytes.readUInt32BE(0) >>> 16 !== 0) throw notOfForm();
        this.#out.push(bytes);
        return this.#expect('extensionLength', 4);
      case 'extensionLength':
        // No server writes an extension, so nobody knows what one would hold.
        if (bytes.readInt32BE(0) !== 0) throw notOfForm();
        this.#out.push(bytes);
        return this.#expect('count', 2);
      case 'count': {
        const count = bytes.readInt16BE(0);
        this.#out.push(bytes);
        if (count === -1) return this.#expect('ended', 0);
        if (count !== this.#masks.length) throw notOfForm();
        this.#column = 0;
        return count === 0 ? this.#expect('count', 2) : this.#expect('length', 4);
      }
      default:
        return this.#length(bytes);
    }
  }

  #length(bytes: Buffer): void {
    const length = bytes.readInt32BE(0);
    const mask = this.#masks[this.#column];
    if (length < -1) throw notOfForm();
    if (!mask) this.#out.push(bytes);
    else if (length === -1) this.#value(mask(null));
    if (length > 0) return this.#expect('value', length);
    if (length === 0 && mask) this.#value(mask(Buffer.alloc(0)));
    this.#nextColumn();
  }

  #value(value: Buffer | null): void {
    const head = Buffer.alloc(4);
    head.writeInt32BE(value?.length ?? -1);
    this.#out.push(head);
    if (value) this.#out.push(value);
  }

  #nextColumn(): void {
    this.#column++;
    if (this.#column < this.#masks.length) this.#expect('length', 4);
    else this.#expect('count', 2);
  }

  #expect(step: Step, need: number): void {
    this.#step = step;
    this.#need = need;
  }

  #take(): Buffer {
    const parts = this.#out;
    this.#out = [];
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}
