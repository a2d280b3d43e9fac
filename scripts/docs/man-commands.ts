/** foundry-agent(1), the command line, and foundry-agent(8), the daemon and its helper: from their declarations. */

import { CLIENT_OPTIONS } from "../../src/cli/socket/client.ts";
import type { OptionDeclaration, SubCommand } from "../../src/cli/usage.ts";
import { FACTS_FOLDER } from "../../src/collectors/local/local.ts";
import { SYSTEM_FOLDER } from "../../src/config/config.ts";
import { CONFIG_SECTIONS } from "../../src/config/keys.ts";
import { HELPER_SOCKET } from "../../src/helper/link/client.ts";
import { HELPER_STATE_FOLDER } from "../../src/helper/parts.ts";
import { POLICY_PATH } from "../../src/helper/policy/policy.ts";
import { ADMIN_GROUP } from "../../src/sockets/server.ts";
import { exitCodes, HELP_OPTION } from "./declared.ts";
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
  usage,
} from "./roff.ts";

/** In foundry-agent(8). */
const OF_THE_SYSTEM = ["run", "helper"];
const RUN_FOLDER = JSON.parse(CONFIG_SECTIONS.agent.keys.run_dir.example) as string;
const STATE_FOLDER = JSON.parse(CONFIG_SECTIONS.agent.keys.state_dir.example) as string;

/** Variables of the environment that are read; a test compares them with the sources. */
const OF_THE_USER: readonly (readonly [string, string])[] = [
  [
    "NO_COLOR",
    "No colours when it is set to anything. There are none either where the output is no terminal.",
  ],
  ["TERM", "No colours on a terminal of the kind `dumb`."],
  ["COLUMNS", "Width of the terminal, where it does not say so itself."],
  ["LINES", "Height of the terminal for `--watch`, where it does not say so itself."],
  [
    "FOUNDRY_AGENT_CALLED",
    "How the program is called in what is to be typed next; set by whatever starts it in its own way.",
  ],
  ["XDG_CONFIG_HOME", "Where the configuration of an agent is that is not root's; `~/.config` without it."],
  ["XDG_STATE_HOME", "Where its state is; `~/.local/state` without it."],
  ["XDG_RUNTIME_DIR", "Where its sockets are, and are looked for; the state folder without it."],
  ["HOME", "For the folders that are not set above."],
  ["TMPDIR", "Sockets are looked for in `foundry-agent-UID` there too."],
];
const OF_SYSTEMD: readonly (readonly [string, string])[] = [
  ["NOTIFY_SOCKET", "Where systemd is told that the agent is ready, how it fares, and that it gets on."],
  ["WATCHDOG_USEC", "With WATCHDOG_PID: how often it must be told."],
  ["WATCHDOG_PID", "See WATCHDOG_USEC."],
  [
    "JOURNAL_STREAM",
    "Set by systemd: the log has the journal's priorities then. On a terminal it is for people, elsewhere one JSON object a line.",
  ],
  ["CREDENTIALS_DIRECTORY", "Where `credential:NAME` is looked for; see foundry-agent-config(5)."],
  ["LISTEN_FDS", "With LISTEN_PID: the socket that systemd hands to the helper."],
  ["LISTEN_PID", "See LISTEN_FDS."],
  ["PATH", "Where the programs are looked for that are asked for facts."],
];

/** foundry-agent(1). Pure. */
export function commandsPage(head: PageHead, about: string, all: readonly SubCommand[]): string {
  const shown = all.filter(({ hidden }) => !hidden);
  const code = exitCodes();
  return page(head, about, [
    section(
      "Synopsis",
      `${bold("foundry-agent")} ${italic("SUB-COMMAND")} [${italic("OPTIONS")}]`,
      ".br",
      `${bold("foundry-agent help")} [${italic("SUB-COMMAND")}]`,
      ".br",
      bold("foundry-agent --version"),
    ),
    section(
      "Description",
      prose(
        "The agent collects what the hardware of a node is and how it fares, reports it to a control plane and takes commands from there. Most sub-commands ask the running agent over its sockets; what it is and how it is started is in foundry-agent(8).",
      ),
      paragraph(
        "Results go to stdout, everything else to stderr. An error is one sentence and the next command to type. Without `--json` the output is for people and may change; with it fields are only ever added.",
      ),
    ),
    section("Sub-commands", ...shown.map(subCommand)),
    section(
      "Options of all that ask the agent",
      ...optionEntries(Object.entries(CLIENT_OPTIONS)),
      ...optionEntries([["help", HELP_OPTION]]),
    ),
    section("Exit status", ...code.map(([number, meaning]) => entry(bold(number), text(meaning)))),
    section("Environment", ...OF_THE_USER.map(([name, meaning]) => entry(bold(name), prose(meaning)))),
    section("Files", ...sockets()),
    section("See also", seeAlso("foundry-agent(8)", "foundry-agent-config(5)", "jq(1)", "journalctl(1)")),
  ]);
}

function subCommand(command: SubCommand): string {
  const { name, summary, options, examples, notes = [] } = command;
  const own = Object.entries(options).filter(([option, { help }]) => CLIENT_OPTIONS[option]?.help !== help);
  const elsewhere = OF_THE_SYSTEM.includes(name) ? " See foundry-agent(8)." : "";
  return subsection(
    `${bold(`foundry-agent ${name}`)} ${usage(command.usage)}`.trim(),
    text(`${sentence(summary)}${elsewhere}`),
    ...(elsewhere === "" ? optionEntries(own) : []),
    ...notes.map((note) => paragraph(note)),
    ...(elsewhere === "" && examples.length > 0 ? [display(examples)] : []),
  );
}

function optionEntries(options: readonly (readonly [string, OptionDeclaration])[]): string[] {
  return options.map(([name, { type, short, value, help, multiple }]) => {
    const shown = type === "string" ? ` ${italic(value ?? "VALUE")}` : "";
    const spelling = `${short === undefined ? "" : `${bold(`-${short}`)}, `}${bold(`--${name}`)}${shown}`;
    return entry(spelling, text(sentence(help + (multiple ? " (may be repeated)" : ""))));
  });
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function seeAlso(...pages: readonly string[]): string {
  return pages
    .map((name) => name.replace(/^(.*)(\(\d\))$/, (_, title, chapter) => `${bold(title)}${chapter}`))
    .join(",\n");
}

function sockets(): string[] {
  return [
    file(
      `${RUN_FOLDER}/status.sock`,
      "For every local user: shows, without serial numbers, and changes nothing. HTTP/1.1.",
    ),
    file(
      `${RUN_FOLDER}/control.sock`,
      `For root and the group \`${ADMIN_GROUP}\`: shows everything, and takes orders.`,
    ),
  ];
}

function file(path: string, meaning: string): string {
  return entry(italic(path), prose(meaning));
}

/** foundry-agent(8). Pure. */
export function daemonPage(head: PageHead, all: readonly SubCommand[]): string {
  const [run, helper] = OF_THE_SYSTEM.map((name) => all.find((command) => command.name === name));
  if (run === undefined || helper === undefined) throw new Error("run and helper are not declared any more");
  return page(head, "the daemon and its helper", [
    section(
      "Synopsis",
      ...[run, helper]
        .flatMap((one) => [".br", `${bold(`foundry-agent ${one.name}`)} ${usage(one.usage)}`])
        .slice(1),
    ),
    section(
      "Description",
      prose(
        "Two processes make up the agent. The daemon, which talks to the network, has no rights at all. What only root may do is asked of the helper, which systemd starts when it is needed and which ends by itself soon after; it does only what is in its own table of operations, and changes nothing that the policy does not allow.",
      ),
      subsection(
        bold("foundry-agent run"),
        text(sentence(run.summary)),
        ...optionEntries(Object.entries(run.options)),
        display(run.examples),
      ),
      subsection(
        bold("foundry-agent helper"),
        text(sentence(helper.summary)),
        ...optionEntries(Object.entries(helper.options)),
        display(helper.examples),
      ),
    ),
    section(
      "Service",
      entry(
        bold("foundry-agent.service"),
        prose(
          "The daemon, as user `foundry-agent`. It is `Type=notify`: started when every section was collected once. `systemctl status foundry-agent` shows how it fares. A watchdog starts it anew when it does not get on.",
        ),
      ),
      entry(bold("foundry-agent-helper.socket"), prose("The way to the helper, for that user alone.")),
      entry(
        bold("foundry-agent-helper.service"),
        prose(
          "The helper. What it changed on this host and what it refused: `foundry-agent helper --audit`, and in the journal `journalctl -u foundry-agent-helper`.",
        ),
      ),
      display([
        "systemctl reload foundry-agent   # read the configuration again",
        "systemctl edit foundry-agent     # more than the unit allows by itself, LoadCredential= for one",
        "journalctl -u foundry-agent -f",
        `usermod -aG ${ADMIN_GROUP} NAME  # may use ${RUN_FOLDER}/control.sock`,
      ]),
    ),
    section(
      "Signals",
      entry(
        bold("SIGTERM, SIGINT"),
        prose(
          "End: what is under way is finished or written down first. A second one, later than a second after the first, ends it at once.",
        ),
      ),
      entry(
        bold("SIGHUP"),
        prose(
          "Read the configuration again. It is read by itself when its files change; a file with a problem changes nothing.",
        ),
      ),
    ),
    section(
      "Exit status",
      ...exitCodes().map(([number, meaning]) => entry(bold(number), text(meaning))),
      paragraph(
        "`run --once` exits with 0 when every control API accepted the report; `run` with 1 when the configuration is not right, and starts nothing then.",
      ),
    ),
    section(
      "Environment",
      ...OF_SYSTEMD.map(([name, meaning]) => entry(bold(name), prose(meaning))),
      paragraph("And what foundry-agent(1) names."),
    ),
    section(
      "Files",
      file(
        `${SYSTEM_FOLDER}/config.toml`,
        "The configuration: foundry-agent-config(5). Every key is optional.",
      ),
      file(`${SYSTEM_FOLDER}/conf.d/*.toml`, "Parts of it, read after it in the order of their names."),
      file(POLICY_PATH, "What may be done to this host, whoever asks; root's own. Read by the helper only."),
      file(`${FACTS_FOLDER}/*.json`, "A site's own facts, for the section `local`."),
      file(STATE_FOLDER, "Identity, token, journal and events of the daemon."),
      file(HELPER_STATE_FOLDER, "What the helper did, so that limits hold and nothing is done twice."),
      ...sockets(),
      file(HELPER_SOCKET, "The helper's, for the user `foundry-agent` alone."),
    ),
    section(
      "See also",
      seeAlso(
        "foundry-agent(1)",
        "foundry-agent-config(5)",
        "systemctl(1)",
        "systemd.exec(5)",
        "smartctl(8)",
        "ipmitool(1)",
      ),
    ),
  ]);
}

/** Names of all variables that the pages explain. */
export function explainedVariables(): string[] {
  return [...OF_THE_USER, ...OF_SYSTEMD].map(([name]) => name);
}
