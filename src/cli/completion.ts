// countersign completion bash | zsh | fish: a script made from the commands that there are.
import { Argument, type Command } from 'commander';
import { examples, type Io } from './output.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

export function register(program: Command, io: Io): void {
  const completion = program
    .command('completion')
    .description('print a completion script for your shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: Shell) => void io.stdout.write(completionScript(program, shell)));
  examples(completion, [
    ['bash, for this terminal', 'source <(countersign completion bash)'],
    ['zsh, for good', 'countersign completion zsh > "${fpath[1]}/_countersign"'],
    ['fish, for good', 'countersign completion fish > ~/.config/fish/completions/countersign.fish'],
  ]);
}

/** Words that may follow each command, by its path: `''` is the program, `config check` a subcommand. */
export function completions(program: Command): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (command: Command, path: string) => {
    const commands = command.commands.map((inner) => inner.name());
    const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
    const options = command.options.flatMap(({ long }) => (long ? [long] : []));
    found.set(path, [...commands, ...choices, ...options, '--help']);
    for (const inner of command.commands) visit(inner, path === '' ? inner.name() : `${path} ${inner.name()}`);
  };
  visit(program, '');
  return found;
}

export function completionScript(program: Command, shell: Shell): string {
  const table = [...completions(program)];
  const paths = table.map(([path]) => path).filter((path) => path !== '');
  // The same walk in each language: a word that names a subcommand of the path so far makes the path longer.
  const posixCases = table.map(([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`).join('\n');
  const posixPaths = paths.map((path) => `'${path}'`).join('|');
  switch (shell) {
    case 'bash':
      return `# countersign completion for bash
_countersign() {
  local path='' next word words='' current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in ${posixPaths}) path="$next" ;; esac
  done
  case "$path" in
${posixCases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _countersign countersign
`;
    case 'zsh':
      return `#compdef countersign
# countersign completion for zsh
_countersign() {
  local path_so_far='' next word words_here=''
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${path_so_far:+$path_so_far }$word"
    case "$next" in ${posixPaths}) path_so_far="$next" ;; esac
  done
  case "$path_so_far" in
${posixCases.replaceAll(' words=', ' words_here=')}
  esac
  compadd -- \${=words_here} || _files
}
if [ "$funcstack[1]" = _countersign ]; then _countersign "$@"; else compdef _countersign countersign; fi
`;
    case 'fish':
      return `# countersign completion for fish
function __countersign_words
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$path $word")
    switch $next
      case ${paths.map((path) => `'${path}'`).join(' ')}
        set path $next
    end
  end
  switch $path
${table.map(([path, words]) => `    case '${path}'\n      printf '%s\\n' ${words.join(' ')}`).join('\n')}
  end
end
complete -c countersign -a '(__countersign_words)'
`;
  }
}
