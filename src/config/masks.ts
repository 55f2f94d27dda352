import type { Label } from '../domain/label.ts';
import type { Method } from '../domain/mask.ts';

const full: Method = { method: 'full' };

/** How a label is hidden: its own method, else that of the nearest broader label, else `default`, else `full`. */
export function methodFor(masks: Readonly<Record<string, Method>>, label: Label): Method {
  for (let name = label; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (Object.hasOwn(masks, name)) return masks[name]!;
  }
  return Object.hasOwn(masks, 'default') ? masks['default']! : full;
}
