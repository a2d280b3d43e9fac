/** The zsh completion, for `_arguments`: it knows options in every spelling by itself, and the words come from us. */
import type { OptionDeclaration } from "../../../src/cli/usage.ts";
import { HELP_OPTION, valuesOf } from "../declared.ts";
import { type Completed, type Find, MEMBERS, type Offer } from "./offers.ts";

/** (N:t): nothing where there is none, and the last part of each path. */
const FINDERS: Readonly<Record<Find, string>> = {
  file: "_files",
  folder: "_files -/",
  interface: "compadd -- /sys/class/net/*(N:t)",
  device: `compadd -- /sys/block/*/device(N:h:t) || compadd -- \${(f)"$(${MEMBERS})"}`,
};

/** Pure. */
export function zshCompletion(all: readonly Completed[]): string {
  const listed = all.filter(({ command }) => !command.hidden);
  const described = listed.map(
    ({ command }) => `        ${quoted(`${escaped(command.name)}:${command.summary}`)}`,
  );
  return `#compdef foundry-agent
# zsh completion for foundry-agent. Made by npm run derive from what the program declares.

_foundry-agent() {
  local curcontext=$curcontext state state_descr context ret=1
  local -a line commands
  typeset -A opt_args

  _arguments -C \\
    '(- *)'{-h,--help}'[list the sub-commands]' \\
    '(- *)'{-V,--version}'[print the version]' \\
    '1: :->command' \\
    '*:: :->rest' && ret=0

  case $state in
    (command)
      commands=(
${described.join("\n")}
      )
      _describe -t commands sub-command commands && ret=0
      ;;
    (rest)
      local command=$words[1]
      curcontext="\${curcontext%:*:*}:foundry-agent-$command:"
      case $command in
        (help)
          _arguments '1:sub-command:(${listed.map(({ command }) => command.name).join(" ")})' && ret=0
          ;;
${all.map(argumentsOf).join("\n")}
      esac
      case "$command/$state/$line[1]" in
${all.flatMap(wordsOf).join("\n")}
      esac
      ;;
  esac
  return ret
}

_foundry-agent "$@"
`;
}

function argumentsOf({ command, places, values }: Completed): string {
  const options = Object.entries({ ...command.options, help: HELP_OPTION }).map(([name, option]) =>
    optionSpec(name, option, values[name], valuesOf(command, name)),
  );
  const deepest = Math.max(-1, ...places.map(({ before }) => before.length));
  const words = Array.from({ length: deepest + 1 }, (_, depth) => `'${depth + 1}: :->word${depth}'`);
  const specs = [...options, ...words].map((spec) => ` \\\n            ${spec}`).join("");
  return `        (${command.name})\n          _arguments -C${specs} && ret=0\n          ;;`;
}

function optionSpec(
  name: string,
  { type, short, multiple, help }: OptionDeclaration,
  offer: Offer | undefined,
  meant: readonly string[],
): string {
  const text = `[${escaped(help)}]`;
  const value = type === "string" ? `:${escaped(meant.join("|"))}:${action(offer)}` : "";
  const star = multiple ? "*" : "";
  if (short === undefined) return quoted(`${star}--${name}${value === "" ? "" : "="}${text}${value}`);
  const both = multiple ? "'*'" : `'(-${short} --${name})'`;
  const spellings = value === "" ? `-${short},--${name}` : `-${short}+,--${name}=`;
  return `${both}{${spellings}}${quoted(text + value)}`;
}

/** " " says that nothing can be offered, and shows what is meant. */
function action(offer: Offer | undefined): string {
  const steps = offer === undefined ? [] : stepsOf(offer);
  return steps.length === 0
    ? " "
    : steps.length === 1 && /^_files/.test(steps[0] ?? "")
      ? `${steps[0]}`
      : `{${steps.join("; ")}}`;
}

function stepsOf({ words, finds }: Offer): string[] {
  return [
    ...(words.length > 0 ? [`compadd -- ${words.join(" ")}`] : []),
    ...finds.map((find) => FINDERS[find]),
  ];
}

function wordsOf({ command, places }: Completed): string[] {
  return places.flatMap(({ before, offer }) => {
    const steps = stepsOf(offer);
    if (steps.length === 0) return [];
    const [first = "*"] = before;
    const pattern = `${command.name}/word${before.length}/${before.length === 0 ? "*" : first}`;
    return `        (${pattern})\n${steps.map((step) => `          ${step} && ret=0\n`).join("")}          ;;`;
  });
}

function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
