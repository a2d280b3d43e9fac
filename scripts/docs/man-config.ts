/** foundry-agent-config(5): every key of the configuration and every word of the policy, from their tables. */
import type { GenericSchema } from "valibot";
import * as v from "valibot";
import { SYSTEM_FOLDER } from "../../src/config/config.ts";
import { COLLECTOR_KEYS, COLLECTORS_DOC, SECTIONS } from "../../src/config/keys.ts";
import { CONTROL_APIS } from "../../src/control/index.ts";
import { POLICY_PATH } from "../../src/helper/policy/policy.ts";
import { DEFAULT_LIMITS, POLICY_WORDS, SIGNED_WORDS } from "../../src/helper/policy/words.ts";
import type { KeyDeclaration } from "../../src/model/config-key.ts";
import {
  bold,
  display,
  entry,
  italic,
  type PageHead,
  page,
  paragraph,
  prose,
  section,
  subsection,
  text,
} from "./roff.ts";

/** What is needed of a collector; every Collector is one. */
export interface Configured {
  readonly name: string;
  readonly everyMs: number;
  readonly options?: Readonly<Record<string, GenericSchema>>;
}

/** Pure. */
export function configPage(head: PageHead, collectors: readonly Configured[]): string {
  return page(head, "configuration and policy of foundry-agent", [
    section(
      "Description",
      prose(
        "Everything is optional. Without any file the agent collects, shows what it found on its status socket, reports to nobody and touches nothing.",
      ),
      paragraph(
        `The format is TOML 1.1. \`${SYSTEM_FOLDER}/config.toml\` is read first, then \`conf.d/*.toml\` beside it in the order of their names; they win key by key. Whoever is not root has \`$XDG_CONFIG_HOME/foundry-agent/config.toml\` instead, and \`--config\` names another file. A change takes effect by itself; a file with a problem changes nothing.`,
      ),
      display([
        "foundry-agent config check    # every problem with file and line",
        "foundry-agent config show     # each value in effect and where it comes from",
      ]),
    ),
    section(
      "Keys",
      ...Object.entries(SECTIONS).map(([name, { doc, keys }]) =>
        subsection(bold(`[${name}]`), text(doc), ...keyEntries(keys)),
      ),
      subsection(
        `${bold("[collectors.")}${italic("NAME")}${bold("]")}`,
        text(COLLECTORS_DOC),
        ...keyEntries(COLLECTOR_KEYS),
        paragraph(
          `There are ${collectors.map(({ name, everyMs }) => `\`${name}\` (every ${duration(everyMs)})`).join(", ")}.`,
        ),
      ),
      ...collectors.flatMap(({ name, options = {} }) =>
        Object.keys(options).length === 0
          ? []
          : [subsection(bold(`[collectors.${name}]`), text("Beside these:"), ...optionEntries(options))],
      ),
    ),
    section(
      "Secrets",
      prose(
        "A secret never stands in the configuration. Keys that end in `_file` name the file that holds it: an absolute path, of a file that belongs to root or to whom the agent runs as and that other users can't read, or `credential:NAME` for a systemd credential.",
      ),
      display(["chown root:foundry-agent FILE && chmod 0640 FILE"]),
    ),
    section("Policy", ...policy()),
    section(
      "Example",
      text("A node that registers by itself and reports:"),
      ...CONTROL_APIS.slice(0, 1).map(({ name, config }) => display([`[${name}]`, ...config.example])),
    ),
    section(
      "See also",
      `${bold("foundry-agent")}(1),\n${bold("foundry-agent")}(8),\n${bold("systemd.exec")}(5)`,
    ),
  ]);
}

function keyEntries(keys: Readonly<Record<string, KeyDeclaration>>): string[] {
  return Object.entries(keys).map(([name, key]) =>
    entry(
      `${bold(name)} = ${italic(key.example)}`,
      text(key.doc),
      text(`${upper(key.expected)}. ${without(key)}`),
    ),
  );
}

function without({ fallback, absent }: KeyDeclaration): string {
  if (fallback === null) return absent === null ? "None without it." : `Without it: ${absent}.`;
  return `Default: ${Array.isArray(fallback) ? "[]" : JSON.stringify(fallback)}.`;
}

function optionEntries(options: Readonly<Record<string, GenericSchema>>): string[] {
  return Object.entries(options).map(([name, schema]) =>
    entry(bold(name), text(`${upper(meaningOf(schema))}.`)),
  );
}

/** Its description, else what its checks say is expected: the words of a message, or the bounds of a number. */
function meaningOf(schema: GenericSchema): string {
  const described = v.getDescription(schema);
  if (described !== undefined) return described.replace(/\.$/, "");
  const { pipe = [] } = schema as {
    pipe?: readonly { type?: string; message?: unknown; requirement?: unknown }[];
  };
  const message = pipe.map((step) => step.message).find((words) => typeof words === "string");
  if (typeof message === "string") return message;
  const bound = (type: string): unknown => pipe.find((step) => step.type === type)?.requirement;
  const [min, max] = [bound("min_value"), bound("max_value")];
  if (min !== undefined && max !== undefined) return `a number from ${min} to ${max}`;
  return schema.expects;
}

function policy(): string[] {
  return [
    prose(
      `\`${POLICY_PATH}\` is root's own: the helper reads it at each change it is asked for, and does nothing that it does not allow. On any doubt about the file (another owner than root, others may write it or a folder above it, a syntax error, an unknown key) nothing that changes anything is done. Reading needs no permission.`,
    ),
    entry(
      `${bold("commands.remote")} = ${italic("off|rehearse|on")}`,
      prose(
        "Commands from the network: none, only rehearsed (every check is made, nothing is done), or those of `allow`.",
      ),
    ),
    entry(
      `${bold("commands.public_key")} = ${italic("BASE64")}`,
      prose(`Ed25519. With it only signed commands may ${words(SIGNED_WORDS)}.`),
    ),
    entry(`${bold("allow.local")} = ${italic("WORDS")}`, prose("What somebody on this host may have done.")),
    ...CONTROL_APIS.map(({ name }) =>
      entry(
        `${bold(`allow.${name}`)} = ${italic("WORDS")}`,
        prose(`What the control API ${name} may have done.`),
      ),
    ),
    entry(
      `${bold("limits.")}${italic("WORD")}${bold(".minutes_apart")}, ${bold(".a_day")}`,
      prose("At least so many minutes between two, and at most so many in 24 hours, whoever asks."),
    ),
    paragraph(`WORD is one of ${words(POLICY_WORDS)}. Limits that hold by themselves:`),
    ...POLICY_WORDS.map((word) => {
      const { minutesApart, aDay } = DEFAULT_LIMITS[word];
      const apart = minutesApart === 0 ? "" : `, ${minutesApart} minutes apart`;
      return entry(bold(word), text(`${aDay} a day${apart}`));
    }),
  ];
}

function words(list: readonly string[]): string {
  return list.map((word) => `\`${word}\``).join(", ");
}

function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function upper(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
