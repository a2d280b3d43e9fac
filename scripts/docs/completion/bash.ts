/**
 * The bash completion. Nothing of the bash-completion package is used (a minimal system has none), no process is
 * started but for the members of a RAID array. readline has already split words at "=", so `--socket=/p` comes as three and is read as two.
 */

import { HELP_OPTION } from "../declared.ts";
import { type Completed, type Find, MEMBERS, type Offer } from "./offers.ts";

/** Loop devices and the like, which are no drives, have no `device`. */
const GLOBS: Readonly<Record<Find, string | null>> = {
  file: null,
  folder: null,
  interface: "/sys/class/net/*",
  device: "/sys/block/*/device",
};

/** Pure. */
export function bashCompletion(all: readonly Completed[]): string {
  const shown = all.filter(({ command }) => !command.hidden).map(({ command }) => command.name);
  return `${HEAD}
# Sets words and finds for the word after an option; fails where the option takes no value.
_foundry_agent_value() {
  case "$1 $2" in
${cases(valueCases(all))}
    *) return 1 ;;
  esac
}

# Sets words and finds for a word that is no option: sub-command, number of words before it, these words.
_foundry_agent_word() {
  case "$1/$2/$3" in
${cases(wordCases(all))}
  esac
}

# Sets words to the options of a sub-command.
_foundry_agent_options() {
  case $1 in
${cases(all.map(optionCase))}
  esac
}

${bodyWith(shown.join(" "))}`;
}

type Case = readonly [pattern: string, action: string];

/** Those with the same action in one. */
function cases(list: readonly Case[]): string {
  const byAction = new Map<string, string[]>();
  for (const [pattern, action] of list) byAction.set(action, [...(byAction.get(action) ?? []), pattern]);
  return [...byAction].map(([action, patterns]) => `    ${wrapped(patterns)}) ${action} ;;`).join("\n");
}

/** A few patterns a line. */
function wrapped(patterns: readonly string[]): string {
  const lines: string[] = [];
  for (let at = 0; at < patterns.length; at += 4) lines.push(patterns.slice(at, at + 4).join(" | "));
  return lines.join(" | \\\n      ");
}

function valueCases(all: readonly Completed[]): Case[] {
  return all.flatMap(({ command, values }) =>
    Object.entries(values).flatMap(([name, offer]): Case[] => {
      const { short } = command.options[name] ?? {};
      const spellings = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
      return spellings.map((spelling) => [`"${command.name} ${spelling}"`, setting(offer)]);
    }),
  );
}

function wordCases(all: readonly Completed[]): Case[] {
  return all.flatMap(({ command: { name }, places }) =>
    places.map(({ before, offer }): Case => {
      return [`${name}/${before.length}/${before.join("/")}`, setting(offer)];
    }),
  );
}

function optionCase({ command }: Completed): Case {
  const names = Object.entries({ ...command.options, help: HELP_OPTION }).flatMap(([name, { short }]) => [
    ...(short === undefined ? [] : [`-${short}`]),
    `--${name}`,
  ]);
  return [command.name, `words="${names.join(" ")}"`];
}

function setting({ words, finds }: Offer): string {
  const globs = finds.flatMap((find) => GLOBS[find] ?? []);
  const own = finds.filter((find) => GLOBS[find] === null);
  const parts = [
    ...(words.length > 0 ? [`words="${words.join(" ")}"`] : []),
    ...globs.map((glob) => `_foundry_agent_names ${glob}`),
    ...(finds.includes("device") ? ["members=yes"] : []),
    ...(own.length > 0 ? [`finds="${own.join(" ")}"`] : []),
  ];
  return parts.length === 0 ? ":" : parts.join("; ");
}

const HEAD = `# bash completion for foundry-agent. Made by npm run derive from what the program declares.

# Adds the last part of each path to words; of a block device's, the one before /device.
_foundry_agent_names() {
  local path
  for path; do
    if [[ -e $path ]]; then
      path=\${path%/device}
      words+=" \${path##*/}"
    fi
  done
}
`;

function bodyWith(commands: string): string {
  return `_foundry_agent() {
  local IFS=$' \\t\\n' current= waiting= command= before= count=0 words= finds= members= word i
  COMPREPLY=()
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then
      [[ $word == "=" ]] || current=$word
    elif [[ $word == "=" ]]; then
      continue
    elif [[ -n $waiting ]]; then
      waiting=
    elif [[ $word == -* ]]; then
      if [[ -n $command ]] && _foundry_agent_value "$command" "$word"; then waiting=$word; fi
    elif [[ -z $command ]]; then
      command=$word
    else
      before+=\${before:+/}$word
      count=$((count + 1))
    fi
  done
  words= finds=
  if [[ -n $waiting ]]; then
    _foundry_agent_value "$command" "$waiting"
  elif [[ -z $command && $current == -* ]]; then
    words="-h --help -V --version"
  elif [[ -z $command || $command == help && $count -eq 0 ]]; then
    words="${commands}"
  elif [[ $current == -* ]]; then
    _foundry_agent_options "$command"
  else
    _foundry_agent_word "$command" "$count" "$before"
    if [[ -z $words$finds && -z $current ]]; then _foundry_agent_options "$command"; fi
  fi
  for word in $words; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
  if [[ -n $members && -n $current && \${#COMPREPLY[@]} -eq 0 ]]; then
    while IFS= read -r word; do
      [[ $word == "$current"* ]] && COMPREPLY+=("$word")
    done < <(${MEMBERS})
  fi
  if [[ -n $finds ]]; then
    # Fails where this is called outside of a completion, which does no harm.
    compopt -o filenames 2>/dev/null || :
    local action=-f
    [[ $finds == folder ]] && action=-d
    while IFS= read -r word; do
      COMPREPLY+=("$word")
    done < <(compgen "$action" -- "$current")
  fi
  return 0
}

complete -F _foundry_agent foundry-agent
`;
}
