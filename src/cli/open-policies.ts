// Reading a policy folder as commands do it, and the words for what is wrong in it.
import type { Config } from '../config/config.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { type ConfigOption, openConfig } from './open-config.ts';
import { Exit, type Io, printJson } from './output.ts';

export interface FolderOption extends ConfigOption {
  readonly folder?: string;
  readonly json?: boolean;
}

export interface OpenPolicies {
  readonly folder: string;
  readonly set: PolicySet;
  /** Absent where a folder was named: it can be read on its own. */
  readonly config?: Config;
}

/** The named folder, else that of the configuration. Ends the command when it cannot be read, or is not right. */
export async function openPolicies(options: FolderOption, io: Io): Promise<OpenPolicies> {
  const config = options.folder === undefined ? await openConfig(options, io) : undefined;
  return {
    ...(await readPolicies(options.folder ?? config!.policies, config, options, io)),
    ...(config ? { config } : {}),
  };
}

/** The set of a folder; the configuration gives its holds their default lifetime. */
export async function readPolicies(
  folder: string,
  config: Config | undefined,
  options: { readonly json?: boolean },
  io: Io,
): Promise<OpenPolicies> {
  const [{ loadPolicies, PolicyErrors }, { readPolicyFolder }] = await Promise.all([
    import('../policy/policy-set.ts'),
    import('../config/policies.ts'),
  ]);
  try {
    const set = loadPolicies(readPolicyFolder(folder), { ttlSeconds: config?.approvals.ttlSeconds });
    return { folder, set };
  } catch (error) {
    if (error instanceof PolicyErrors) {
      if (options.json) {
        printJson(io, { ok: false, problems: error.problems });
        throw new Exit(1);
      }
      const count = error.problems.length;
      throw new Exit(1, `${count} ${count === 1 ? 'problem' : 'problems'} in ${folder}\n${error.message}`);
    }
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    throw new Exit(2, `the policies in ${folder} cannot be read (${reason}): name the folder with --folder`);
  }
}
