// Page cursors: opaque to callers, a time and an id inside. A malformed one is the caller's mistake and is told so.

export interface Place {
  readonly at: number;
  readonly id: string;
}

export function formatCursor(place: Place): string {
  return Buffer.from(`${place.at} ${place.id}`).toString('base64url');
}

/** Undefined for anything that `formatCursor` did not make. */
export function parseCursor(cursor: string): Place | undefined {
  const match = /^(\d{1,16}) ([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  return match ? { at: Number(match[1]), id: match[2]! } : undefined;
}
