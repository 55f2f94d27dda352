// Events as JSON lines in a file that others read and rotate: the name is looked at before each delivery, so that a file that was
// renamed away is let go of. A line that a crash cut short is taken back at the next opening (test: sinks.test.ts, "torn").
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type FileSinkOptions, NotDelivered, type Outgoing, type Sink } from './sink.ts';

export function openFileSink({ output: { file: path }, sync }: FileSinkOptions): Sink {
  let handle: FileHandle | undefined;

  async function current(): Promise<FileHandle> {
    if (handle && !(await isAt(handle, path))) {
      const old = handle;
      handle = undefined;
      await old.close();
    }
    return (handle ??= await openWhole(path));
  }

  return {
    async deliver(batch) {
      try {
        const to = await current();
        const { size } = await to.stat();
        const bytes = Buffer.from(batch.map(lineOf).join(''));
        try {
          await writeAll(to, bytes);
          if (sync) await to.datasync();
        } catch (cause) {
          // Half a batch would be half a line: the next attempt writes all of it.
          await to.truncate(size).catch(() => undefined);
          throw cause;
        }
      } catch (cause) {
        const old = handle;
        handle = undefined;
        await old?.close().catch(() => undefined);
        const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
        throw new NotDelivered(`the file cannot be written (${code})`, { cause });
      }
    },
    async close() {
      await handle?.close();
      handle = undefined;
    },
  };
}

const lineOf = ({ json }: Outgoing): string => `${json}\n`;

async function isAt(handle: FileHandle, path: string): Promise<boolean> {
  try {
    const [ours, theirs] = await Promise.all([handle.stat(), stat(path)]);
    return ours.ino === theirs.ino && ours.dev === theirs.dev;
  } catch {
    return false;
  }
}

const block = 64 * 1024;

/** Opened for appending, without what stands behind its last line feed. */
async function openWhole(path: string): Promise<FileHandle> {
  // 'a' and not 'r+': two writers would interleave whole writes, never overwrite each other.
  const handle = await open(path, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    let end = size;
    const bytes = Buffer.alloc(block);
    while (end > 0) {
      const from = Math.max(0, end - block);
      const { bytesRead } = await handle.read(bytes, 0, end - from, from);
      const at = bytes.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (at >= 0) {
        end = from + at + 1;
        break;
      }
      end = from;
    }
    if (end < size) await handle.truncate(end);
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

async function writeAll(to: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await to.write(bytes, done)).bytesWritten;
}
