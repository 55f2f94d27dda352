// One command line from arguments to exit code. bin/countersign.ts names the commands.
import { Command, CommanderError } from 'commander';
import { Fault } from '../domain/fault.ts';
import { Exit, type Io, printError, type Register } from './output.ts';

export interface Identification {
  readonly version: string;
  readonly commands: readonly Register[];
}

/** The program with all its commands; nothing is read or opened yet. */
export function openProgram({ version, commands }: Identification, io: Io): Command {
  const program = new Command('countersign')
    .description(
      'Access gateway between agents and infrastructure: verified identity, decisions, holds, masking, and a record that proves itself.',
    )
    .version(version)
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      outputError: (text, write) => write(text.replace(/^error: /, 'countersign: ')),
    })
    .exitOverride();
  program.addHelpText('after', '\nExit status: 0 done, 1 the answer is no, 2 not understood, 3 not reachable.');
  for (const register of commands) register(program, io);
  return program;
}

/** Runs one command line (without the interpreter's own arguments). Resolves to the exit code; never rejects. */
export async function run(args: readonly string[], identification: Identification, io: Io): Promise<number> {
  try {
    const program = openProgram(identification, io);
    if (args.length === 0) {
      io.stderr.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return conclude(error, io);
  }
}

function conclude(error: unknown, io: Io): number {
  if (error instanceof Exit) {
    if (error.message !== '') printError(io, error.message);
    return error.code;
  }
  // Commander has written its own message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Fault) {
    const cause = error.cause instanceof Error ? `\n  cause: ${error.cause.message}` : '';
    printError(io, `${error.message}${cause}`);
    return error.code === 'target.unreachable' ? 3 : 1;
  }
  // What the system refuses is no bug: an address in use, a file that may not be read.
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof Error && typeof code === 'string' && typeof syscall === 'string') {
    printError(io, `the system refused: ${error.message}`);
    return 1;
  }
  printError(
    io,
    `this is a bug, please report it:\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return 1;
}
