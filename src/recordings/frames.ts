// What a recording holds once decrypted and decompressed: frames of kind, time and bytes (docs/ledger-format.md).

export const frameKinds = ['client', 'target', 'meta'] as const;
export type FrameKind = (typeof frameKinds)[number];

export interface RecordedFrame {
  readonly kind: FrameKind;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: Buffer;
}

/** u8 kind, u48 milliseconds, u32 length. */
export const frameHeaderSize = 11;

/** Writes one frame at `at`; the buffer must have room. Returns the offset behind it. */
export function writeFrame(buffer: Buffer, at: number, kind: FrameKind, time: number, bytes: Uint8Array): number {
  buffer[at] = frameKinds.indexOf(kind);
  buffer.writeUIntBE(Math.max(0, Math.floor(time)), at + 1, 6);
  buffer.writeUInt32BE(bytes.length, at + 7);
  buffer.set(bytes, at + frameHeaderSize);
  return at + frameHeaderSize + bytes.length;
}

/** Frames of one chunk; undefined when they do not fill it exactly. */
export function parseFrames(chunk: Buffer): RecordedFrame[] | undefined {
  const frames: RecordedFrame[] = [];
  for (let at = 0; at < chunk.length; ) {
    if (at + frameHeaderSize > chunk.length) return undefined;
    const kind = frameKinds[chunk[at]!];
    const end = at + frameHeaderSize + chunk.readUInt32BE(at + 7);
    if (kind === undefined || end > chunk.length) return undefined;
    frames.push({ kind, at: chunk.readUIntBE(at + 1, 6), bytes: chunk.subarray(at + frameHeaderSize, end) });
    at = end;
  }
  return frames;
}
