// Attacks on files, one by one, without knowing the format any better than its outer shape.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import type { FileAttack } from './attack.ts';
import type { Storage } from './place.ts';

const journal = (on: Storage) => readdirSync(join(on.ledger, 'journal')).sort();
const segment = (on: Storage, at: number) => join(on.ledger, 'journal', journal(on).at(at)!);
const flip = (path: string, at: number) => {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  writeFileSync(path, bytes);
};
const swap = (a: string, b: string) => {
  const [first, second] = [readFileSync(a), readFileSync(b)];
  writeFileSync(a, second);
  writeFileSync(b, first);
};
const tile = (on: Storage, ...path: string[]) => join(on.ledger, 'tile', ...path);
const partial = (on: Storage, kind: string) => {
  const folder = tile(on, kind, '001.p');
  return join(folder, readdirSync(folder)[0]!);
};
/** A file of that length that takes no room. */
const huge = (path: string, bytes: number) => {
  writeFileSync(path, '', { flag: 'a' });
  truncateSync(path, bytes);
};

export const fileAttacks: readonly FileAttack[] = [
  // The journal.
  {
    name: 'a byte of an entry in the journal',
    run: (on) => flip(segment(on, 1), 400),
    found: { kind: 'changed', file: 'journal/', what: 'a frame is not as it was written' },
  },
  {
    name: 'a byte of a trailer',
    run: (on) => flip(segment(on, 0), -1),
    found: { kind: 'changed', file: 'journal/', what: '' },
  },
  {
    name: 'a byte of a segment header',
    run: (on) => flip(segment(on, 2), 20),
    found: { kind: 'changed', file: 'journal/', what: 'does not continue the one before' },
  },
  {
    name: 'the first segment removed',
    run: (on) => rmSync(segment(on, 0)),
    found: { kind: 'missing', file: 'journal/000000000000', what: 'the segment is missing' },
  },
  {
    name: 'a segment in the middle removed',
    run: (on) => rmSync(segment(on, 2)),
    found: { kind: 'missing', file: 'journal/', what: 'are missing' },
  },
  {
    name: 'the last segment dropped',
    run: (on) => rmSync(segment(on, -1)),
    found: { kind: 'missing', file: 'journal/', what: 'the journal ends after' },
  },
  {
    name: 'the whole journal removed',
    run: (on) => rmSync(join(on.ledger, 'journal'), { recursive: true }),
    found: { kind: 'missing', file: 'journal/', what: 'the segment is missing' },
  },
  {
    name: 'the last segment cut inside a frame',
    run: (on) => truncateSync(segment(on, -1), readFileSync(segment(on, -1)).length - 40),
    found: { kind: 'missing', file: 'journal/', what: 'the journal ends after' },
  },
  {
    name: 'a segment cut in the middle of the log',
    run: (on) => truncateSync(segment(on, 1), readFileSync(segment(on, 1)).length - 40),
    found: { kind: 'missing', file: 'journal/', what: 'the segment ends inside a frame' },
  },
  {
    name: 'two segments swapped',
    run: (on) => swap(segment(on, 1), segment(on, 2)),
    found: { kind: 'changed', file: 'journal/', what: 'the segment header is not as it was written' },
  },
  {
    name: 'a segment renamed to another index',
    run: (on) => renameSync(segment(on, 1), join(on.ledger, 'journal', '000000000999')),
    found: { kind: 'missing', file: 'journal/', what: 'are missing' },
  },
  {
    name: 'a segment twice',
    run: (on) => cpSync(segment(on, 1), join(on.ledger, 'journal', '000000009999')),
    found: { kind: 'missing', file: 'journal/', what: 'are missing' },
  },
  {
    name: 'an empty segment behind the last',
    run: (on) =>
      writeFileSync(
        join(
          on.ledger,
          'journal',
          String(Number(readFileSync(join(on.ledger, 'checkpoint'), 'utf8').split('\n')[1])).padStart(12, '0'),
        ),
        '',
      ),
    found: { kind: 'torn', file: 'journal/', what: 'the segment holds no frame' },
  },
  {
    name: 'noise behind the last frame',
    run: (on) => appendFileSync(segment(on, -1), 'x'.repeat(300)),
    found: { kind: 'changed', file: 'journal/', what: 'a frame is not as it was written' },
  },
  {
    name: 'a gigabyte of zeros behind the last frame',
    run: (on) => huge(segment(on, -1), 1_000_000_000),
    found: { kind: 'changed', file: 'journal/', what: 'a frame is not as it was written' },
  },
  {
    name: 'a segment that is a symbolic link',
    run(on) {
      const path = segment(on, 1);
      renameSync(path, join(on.root, 'away'));
      symlinkSync(join(on.root, 'away'), path);
    },
    found: { kind: 'added', file: 'journal/', what: 'does not belong to a ledger' },
  },
  {
    name: 'a journal that is a symbolic link',
    run(on) {
      const path = join(on.ledger, 'journal');
      renameSync(path, join(on.root, 'away'));
      symlinkSync(join(on.root, 'away'), path);
    },
    found: { kind: 'added', file: 'journal', what: 'does not belong to a ledger' },
  },
  {
    name: 'a segment that is a folder',
    run(on) {
      rmSync(segment(on, 1));
      mkdirSync(join(on.ledger, 'journal', '000000000060'));
    },
    found: { kind: 'missing', file: 'journal/', what: '' },
  },
  {
    name: 'a pipe in the place of a tile',
    run(on) {
      rmSync(tile(on, '0', '000'));
      spawnSync('mkfifo', [tile(on, '0', '000')]);
    },
    found: { kind: 'added', file: 'tile/0/000', what: 'does not belong to a ledger' },
  },
  // Tiles and bundles.
  {
    name: 'a byte of a complete tile',
    run: (on) => flip(tile(on, '0', '000'), 500),
    found: { kind: 'changed', file: 'tile/0/000', what: 'does not hold what the journal holds' },
  },
  {
    name: 'a byte of a partial tile',
    run: (on) => flip(partial(on, '0'), 5),
    found: { kind: 'changed', file: 'tile/0/001.p/', what: 'does not hold what the journal holds' },
  },
  {
    name: 'a byte of a tile of the level above',
    run: (on) => flip(tile(on, '1', '000.p', '1'), 5),
    found: { kind: 'changed', file: 'tile/1/000.p/1', what: 'does not hold what the journal holds' },
  },
  {
    name: 'a byte of a complete bundle',
    run: (on) => flip(tile(on, 'entries', '000'), 500),
    found: { kind: 'changed', file: 'tile/entries/000', what: 'does not hold what the journal holds' },
  },
  {
    name: 'a byte of a partial bundle',
    run: (on) => flip(partial(on, 'entries'), 50),
    found: { kind: 'changed', file: 'tile/entries/001.p/', what: 'does not hold what the journal holds' },
  },
  {
    name: 'all tiles removed',
    run: (on) => rmSync(tile(on), { recursive: true }),
    found: { kind: 'missing', file: 'tile/', what: 'the file is missing' },
  },
  {
    name: 'one bundle removed',
    run: (on) => rmSync(tile(on, 'entries', '000')),
    found: { kind: 'missing', file: 'tile/entries/000', what: 'the file is missing' },
  },
  {
    name: 'a tile cut short',
    run: (on) => truncateSync(tile(on, '0', '000'), 32 * 255),
    found: { kind: 'changed', file: 'tile/0/000', what: 'does not hold' },
  },
  {
    name: 'a tile of four gigabytes',
    run: (on) => huge(tile(on, '0', '000'), 4_000_000_000),
    found: { kind: 'changed', file: 'tile/0/000', what: 'does not hold' },
  },
  {
    name: 'a tile beyond the end of the log',
    run: (on) => cpSync(tile(on, '0', '000'), tile(on, '0', '007')),
    found: { kind: 'missing', file: 'tile/0/007', what: 'the journal has no entries for this file' },
  },
  {
    name: 'bundle and tile swapped',
    run: (on) => swap(tile(on, '0', '000'), tile(on, 'entries', '000')),
    found: { kind: 'changed', file: 'tile/', what: 'does not hold' },
  },
  // Checkpoints and the folder.
  {
    name: 'the checkpoint removed',
    run: (on) => rmSync(join(on.ledger, 'checkpoint')),
    found: { kind: 'missing', file: 'checkpoint', what: 'there is no checkpoint' },
  },
  {
    name: 'the size in the checkpoint raised',
    run: (on) =>
      writeFileSync(
        join(on.ledger, 'checkpoint'),
        readFileSync(join(on.ledger, 'checkpoint'), 'utf8').replace(/\n\d+\n/, '\n9999\n'),
      ),
    found: { kind: 'unsigned', file: 'checkpoint', what: 'does not match the text' },
  },
  {
    name: 'the signature removed',
    run: (on) =>
      writeFileSync(
        join(on.ledger, 'checkpoint'),
        readFileSync(join(on.ledger, 'checkpoint'), 'utf8').split('\n\n')[0]! + '\n',
      ),
    found: { kind: 'unsigned', file: 'checkpoint', what: 'has no signature block' },
  },
  {
    name: 'a checkpoint of a gigabyte',
    run: (on) => huge(join(on.ledger, 'checkpoint'), 1_000_000_000),
    found: { kind: 'changed', file: 'checkpoint', what: 'too many for a checkpoint' },
  },
  {
    name: 'a cosigned checkpoint of a gigabyte',
    run: (on) => huge(join(on.ledger, 'checkpoint.cosigned'), 1_000_000_000),
    found: { kind: 'changed', file: 'checkpoint.cosigned', what: 'too many for a checkpoint' },
  },
  {
    name: 'a cosigned checkpoint of another log',
    run: (on, { stranger }) => cpSync(join(stranger.ledger, 'checkpoint'), join(on.ledger, 'checkpoint.cosigned')),
    found: { kind: 'changed', file: 'checkpoint.cosigned', what: 'does not verify' },
  },
  {
    name: 'the old checkpoint replayed, and what came after it cut off',
    run(on, { whenKept }) {
      rmSync(on.ledger, { recursive: true });
      cpSync(whenKept.ledger, on.ledger, { recursive: true });
    },
    found: { kind: 'added', file: '', what: 'no session of the ledger has this recording' },
  },
  {
    name: 'everything rolled back to before the kept checkpoint',
    run(on, { earlier }) {
      for (const part of ['ledger', 'state', 'recordings'] as const) {
        rmSync(on[part], { recursive: true });
        cpSync(earlier[part], on[part], { recursive: true });
      }
    },
    found: { kind: 'rolledBack', file: 'journal', what: 'a checkpoint that was kept covers' },
  },
  {
    name: 'a foreign file in the ledger',
    run: (on) => writeFileSync(join(on.ledger, 'notes.txt'), 'x'),
    found: { kind: 'added', file: 'notes.txt', what: 'does not belong to a ledger' },
  },
  {
    name: 'a hidden file beside the segments',
    run: (on) => writeFileSync(join(on.ledger, 'journal', '.000000000000.swp'), 'x'),
    found: { kind: 'added', file: 'journal/', what: 'does not belong to a ledger' },
  },
  {
    name: 'a file whose name goes upwards in words',
    run: (on) => writeFileSync(join(on.ledger, 'tile', '..\\x'), 'x'),
    found: { kind: 'added', file: 'tile/', what: 'does not belong to a ledger' },
  },
  {
    name: 'the folder emptied',
    run(on) {
      rmSync(on.ledger, { recursive: true });
      mkdirSync(on.ledger);
    },
    found: { kind: 'missing', file: 'checkpoint', what: 'there is no checkpoint' },
  },
  // Other logs.
  {
    name: 'the ledger of another gateway in its place',
    run(on, { stranger }) {
      rmSync(on.ledger, { recursive: true });
      cpSync(stranger.ledger, on.ledger, { recursive: true });
    },
    found: { kind: 'unsigned', file: 'checkpoint', what: 'no signature by a known key' },
  },
  {
    name: 'the journal of another gateway under this checkpoint',
    run(on, { stranger }) {
      rmSync(join(on.ledger, 'journal'), { recursive: true });
      cpSync(join(stranger.ledger, 'journal'), join(on.ledger, 'journal'), { recursive: true });
    },
    found: { kind: 'changed', file: 'journal/', what: 'log.genesis names another key' },
  },
  {
    name: 'a segment of another gateway in the middle',
    run: (on, { stranger }) => cpSync(join(stranger.ledger, 'journal', journal(stranger)[1]!), segment(on, 1)),
    found: { kind: 'changed', file: 'journal/', what: '' },
  },
];
