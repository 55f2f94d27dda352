import type { Label } from '../domain/label.ts';
import type { MaskMethod } from '../domain/mask.ts';

/** How a label is hidden: its own method, else that of the nearest broader label, else `default`, else `full`. */
export function methodFor(masks: Readonly<Record<string, MaskMethod>>, label: Label): MaskMethod {
  for (let name = label; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (Object.hasOwn(masks, name)) return masks[name]!;
  }
  return Object.hasOwn(masks, 'default') ? masks['default']! : 'full';
}
