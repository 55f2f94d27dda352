// What rules of several parts have in common.
export interface Broken {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export function secureOrLoopback(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}

/** Whether an address or host name stays on this machine. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(\.\d{1,3}){3}$/.test(address);
}

export function twins(
  path: readonly string[],
  key: string,
  values: readonly (string | undefined)[],
  message: string,
): Broken[] {
  return values.flatMap((value, index) =>
    value !== undefined && values.indexOf(value) < index ? [{ path: [...path, index, key], message }] : [],
  );
}
