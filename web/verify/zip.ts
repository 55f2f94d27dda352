// The files of a ZIP archive: its directory, stored and deflated members, Zip64 (APPNOTE 6.3.9). Nothing is believed of
// it: what a member holds is checked by the ledger itself, and a member is never larger than the limit.
import type { Picked } from './picked.ts';

/** Largest member: beyond the largest segment of a journal, and long for a recording. */
const memberLimit = 1024 * 1024 * 1024;

export async function openZip(archive: Blob): Promise<Picked[]> {
  const tailLength = Math.min(archive.size, 65_557);
  const tail = await viewOf(archive, archive.size - tailLength, archive.size);
  let end = tailLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error('The file is not a ZIP, or its end is missing.');
  let count = tail.getUint16(end + 10, true);
  let length = tail.getUint32(end + 12, true);
  let start = tail.getUint32(end + 16, true);
  const locator = end - 20;
  if (locator >= 0 && tail.getUint32(locator, true) === 0x07064b50) {
    const at = Number(tail.getBigUint64(locator + 8, true));
    const record = await viewOf(archive, at, at + 56);
    if (record.byteLength < 56 || record.getUint32(0, true) !== 0x06064b50) throw damaged();
    count = Number(record.getBigUint64(32, true));
    length = Number(record.getBigUint64(40, true));
    start = Number(record.getBigUint64(48, true));
  }
  const directory = await viewOf(archive, start, start + length);
  const files: Picked[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x02014b50) throw damaged();
    const [nameLength, extraLength, noteLength] = [28, 30, 32].map((offset) => directory.getUint16(at + offset, true));
    const nameEnd = at + 46 + nameLength!;
    const next = nameEnd + extraLength! + noteLength!;
    if (next > directory.byteLength) throw damaged();
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, nameLength));
    const [packed, size, offset] = sizes(directory, at, nameEnd, nameEnd + extraLength!);
    const member = { name, method: directory.getUint16(at + 10, true), packed, size, offset };
    if (directory.getUint16(at + 8, true) & 1) throw new Error(`${name} is encrypted: unpack the archive first.`);
    if (!name.endsWith('/')) files.push(memberOf(archive, member));
    at = next;
  }
  return files;
}

interface Member {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/** Packed size, size and place of a member; 64-bit ones stand in the extra field. */
function sizes(directory: DataView, at: number, extra: number, end: number): [number, number, number] {
  const found = [directory.getUint32(at + 24, true), directory.getUint32(at + 20, true), directory.getUint32(at + 42, true)];
  for (let field = extra; field + 4 <= end; field += 4 + directory.getUint16(field + 2, true)) {
    if (directory.getUint16(field, true) !== 1) continue;
    const stop = Math.min(end, field + 4 + directory.getUint16(field + 2, true));
    let value = field + 4;
    for (let i = 0; i < 3; i++) {
      if (found[i] !== 0xffffffff || value + 8 > stop) continue;
      found[i] = Number(directory.getBigUint64(value, true));
      value += 8;
    }
  }
  const [size, packed, offset] = found as [number, number, number];
  return [packed, size, offset];
}

/** The member that was unpacked last: the journal is read piece by piece. */
let unpacked: { readonly member: Member; readonly blob: Promise<Blob> } | undefined;

function memberOf(archive: Blob, member: Member): Picked {
  if (member.method !== 0 && member.method !== 8) {
    throw new Error(`${member.name} is packed by a method that this page does not know: unpack the archive first.`);
  }
  if (member.size > memberLimit) throw new Error(`${member.name} is too long for this page: unpack the archive first.`);
  return {
    path: member.name,
    size: member.size,
    async bytes(from, to) {
      if (unpacked?.member !== member) unpacked = { member, blob: unpack(archive, member) };
      return new Uint8Array(await (await unpacked.blob).slice(from, to).arrayBuffer());
    },
  };
}

async function unpack(archive: Blob, { name, method, packed, size, offset }: Member): Promise<Blob> {
  const header = await viewOf(archive, offset, offset + 30);
  if (header.byteLength < 30 || header.getUint32(0, true) !== 0x04034b50) throw damaged();
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const bytes = archive.slice(start, start + packed);
  if (method === 0) return bytes;
  const reader = bytes.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts: BlobPart[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Error(`${name} does not unpack: the archive is damaged.`);
    });
    if (done) break;
    length += value.length;
    if (length > size) throw new Error(`${name} is longer than the archive says.`);
    parts.push(value as Uint8Array<ArrayBuffer>);
  }
  return new Blob(parts);
}

async function viewOf(archive: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await archive.slice(Math.max(0, from), to).arrayBuffer());
}

const damaged = () => new Error('The directory of the ZIP is damaged.');
