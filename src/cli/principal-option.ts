// Who asks, on a command line: a kind with groups and claims, or a file that says it all.
import { type Command, InvalidArgumentError } from 'commander';
import type { Principal } from '../domain/principal.ts';
import { collect } from './arguments.ts';
import { Exit } from './output.ts';

export interface PrincipalOption {
  readonly principal?: string;
  readonly kind: Principal['kind'];
  readonly group: readonly string[];
  readonly claim: readonly (readonly [name: string, value: string])[];
}

export type GivenPrincipal = Partial<Principal> & Pick<Principal, 'kind'>;

export function takesPrincipal(command: Command): Command {
  return command
    .option('-k, --kind <kind>', 'agent, human or service', kindOf, 'agent')
    .option('-g, --group <group>', 'a group of the principal; repeatable', collect, [])
    .option('--claim <name=value>', 'a verified claim of the principal; repeatable', collectClaim, [])
    .option('-p, --principal <file>', 'JSON file with the principal instead of --kind, --group and --claim');
}

export async function principalOf(options: PrincipalOption): Promise<GivenPrincipal> {
  if (options.principal !== undefined) return readPrincipal(await readText(options.principal));
  const claims: Record<string, string | readonly string[]> = {};
  for (const [name, value] of options.claim) {
    const before = claims[name];
    claims[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return {
    kind: options.kind,
    groups: options.group,
    ...(options.claim.length > 0 ? { claims: claims as Principal['claims'] } : {}),
  };
}

function collectClaim(value: string, before: PrincipalOption['claim']): PrincipalOption['claim'] {
  const at = value.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('write name=value');
  return [...before, [value.slice(0, at), value.slice(at + 1)]];
}

function kindOf(value: string): Principal['kind'] {
  if (value === 'agent' || value === 'human' || value === 'service') return value;
  throw new InvalidArgumentError('write agent, human or service');
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Exit(2, `${path} cannot be read (${error.code}): give a JSON file with the principal`);
  });
}

/** The parts that policies look at, and no others. */
function readPrincipal(text: string): GivenPrincipal {
  try {
    const value = JSON.parse(text) as Partial<Principal>;
    const { kind, issuer, subject, owner, email, claims, delegation } = value;
    if (kind === 'agent' || kind === 'human' || kind === 'service') {
      const given = { kind, issuer, subject, owner, email, claims, delegation, groups: value.groups ?? [] };
      return Object.fromEntries(Object.entries(given).filter(([, part]) => part !== undefined)) as typeof given & {
        kind: Principal['kind'];
      };
    }
  } catch {
    // Told below.
  }
  throw new Exit(2, 'the principal is not right: write {"kind": "agent", "groups": ["…"]} and what else policies read');
}
