// Run as a child by power-cut.test.ts: plays the story and kills itself, as `kill -9` does, before or after one operation of its disk.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openShadowDisk } from './shadow-disk.ts';
import { story, type StoryPlace, type Told } from './story.ts';

const [place, step, side] = process.argv.slice(2) as [string, string, string];
const at = JSON.parse(place) as StoryPlace;
const end = (now: number) => now === Number(step) && process.kill(process.pid, 'SIGKILL');
const shadow = openShadowDisk(join(at.folder, '..'), side === 'before' ? { before: end } : { after: end });
/** Each acknowledgement leaves the process at once. */
const told: Told = new (class extends Map {
  override set(index: number, one: { mark: string; level: 'written' | 'synced' }): this {
    writeSync(1, `${JSON.stringify([index, one])}\n`);
    return super.set(index, one);
  }
})();
await story(at, shadow, told, 'now');
