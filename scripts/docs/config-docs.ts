/**
 * docs/config.example.toml, docs/configuration.md and packaging/config.toml, made from the table of keys
 * (src/config/keys.ts).
 */
import { COLLECTOR_KEYS, COLLECTORS_DOC, SECTIONS } from "../../src/config/keys.ts";
import { CONTROL_APIS } from "../../src/control/index.ts";
import type { KeyDeclaration } from "../../src/model/config-key.ts";

/** The collector that stands for all in the example. */
const SAMPLE = "collectors.drives";

/** The commented example: every key, switched off, with what holds without it. */
export function exampleToml(): string {
  const parts = [
    wrap(
      "Configuration of foundry-agent. Every key is optional: without this file the agent collects, reports to nobody and touches nothing. What is commented out shows the default, or an example where there is none.",
    ),
    wrap(
      "Files in conf.d/*.toml beside this one are read after it, in the order of their names, and win key by key. A change takes effect by itself; `foundry-agent config check` tells beforehand whether it is right, `foundry-agent config show` where each value comes from.",
    ),
    wrap(
      "Secrets never stand here, only the names of the files that hold them: readable by root and the group foundry-agent (0640), or a systemd credential as credential:NAME.",
    ),
  ].join("\n#\n");
  const sections = Object.entries(SECTIONS).map(
    ([name, { doc, keys }]) => `${wrap(doc)}\n[${name}]\n\n${exampleKeys(keys)}`,
  );
  const collectors = `${wrap(COLLECTORS_DOC)}\n#[${SAMPLE}]\n\n${exampleKeys(COLLECTOR_KEYS)}`;
  return `${[parts, ...sections, collectors].join("\n\n")}\n`;
}

function exampleKeys(keys: Readonly<Record<string, KeyDeclaration>>): string {
  return Object.entries(keys)
    .map(([name, key]) => `${wrap(`${key.doc} ${meaning(key)}`.trimEnd())}\n#${name} = ${key.example}`)
    .join("\n\n");
}

/** What the line below does not show by itself: the choices, the bounds, what holds without it. */
function meaning(key: KeyDeclaration): string {
  if (key.choices.length > 0) return `${upper(key.expected)}; default ${key.example}.`;
  if (key.fallback !== null)
    return `Default: ${Array.isArray(key.fallback) ? "[]" : JSON.stringify(key.fallback)}.`;
  const bounds = /^\d/.test(key.example) ? `${upper(key.expected)}. ` : "";
  return bounds + (key.absent === null ? "" : `Without it: ${key.absent}.`);
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Comment lines of at most so many characters. */
export function wrap(text: string, width = 100): string {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** docs/configuration.md */
export function configurationPage(): string {
  const tables = Object.entries(SECTIONS).map(
    ([name, { doc, keys }]) => `## [${name}]\n\n${doc}\n\n${keyTable(keys)}`,
  );
  return `${[HEAD, ...tables, `## [collectors.NAME]\n\n${COLLECTORS_DOC}\n\n${keyTable(COLLECTOR_KEYS)}`, TAIL].join("\n\n")}\n`;
}

function keyTable(keys: Readonly<Record<string, KeyDeclaration>>): string {
  const rows = Object.entries(keys).map(([name, key]) => {
    const value = `\`${Array.isArray(key.fallback) ? "[]" : JSON.stringify(key.fallback)}\``;
    const without = key.fallback === null ? (key.absent ?? "none") : value;
    const cells = [`\`${name}\``, upper(key.expected), without, key.doc].map((cell) =>
      cell.replaceAll("|", "\\|"),
    );
    return `| ${cells.join(" | ")} |`;
  });
  return ["| key | value | without it | |", "|---|---|---|---|", ...rows].join("\n");
}

/** What makes a node report, with the first control API there is. */
const EXAMPLE = CONTROL_APIS.slice(0, 1)
  .map(({ name, config }) => [`[${name}]`, ...config.example].join("\n"))
  .join("");

const HEAD = `<!-- Made by npm run derive from src/config/keys.ts: change the table there. -->
# Configuration

Everything is optional. Without any file the agent collects, shows what it found on its status socket,
reports to nobody and touches nothing. [config.example.toml](config.example.toml) has every key with its
default, to copy from.

\`\`\`toml
# /etc/foundry-agent/config.toml: a node that registers by itself and reports
${EXAMPLE}
\`\`\`

## Which files

| who runs it | file | state | sockets |
|---|---|---|---|
| root, and the service | \`/etc/foundry-agent/config.toml\` | \`/var/lib/foundry-agent\` | \`/run/foundry-agent\` |
| any other user | \`$XDG_CONFIG_HOME/foundry-agent/config.toml\` (\`~/.config\`) | \`$XDG_STATE_HOME/foundry-agent\` (\`~/.local/state\`) | \`$XDG_RUNTIME_DIR/foundry-agent\`, else the state folder |

\`--config FILE\` names another one. Files in \`conf.d/*.toml\` beside the main file are read after it, in the
order of their names; they win key by key, so a table may be spread over several files, and a list is
replaced as a whole. The format is TOML 1.1, a file has at most 256 KiB.

## Trying a change

\`\`\`
foundry-agent config check    # every problem with file, line and what was expected; exits with 1 when there is one
foundry-agent config show     # each value in effect and where it comes from
\`\`\`

A running agent reads its files again by itself when they change, and on SIGHUP. A file with a problem
changes nothing: the old configuration holds, and the condition says what is wrong. Both commands have
\`--json\`.

## Secrets

A secret never stands in the configuration. Keys that end in \`_file\` name the file that holds it:

- a path: the file belongs to root or to whom the agent runs as, and other users can't read it.
  \`chown root:foundry-agent FILE && chmod 0640 FILE\`. A file that others may read is refused, and the
  message is the line to type.
- \`credential:NAME\`: a systemd credential, given to the unit with \`LoadCredential=NAME:/path\` or
  \`LoadCredentialEncrypted=\`. Secrets mounted by Kubernetes need \`defaultMode: 0440\`.

A key or token found in the text itself is a problem, also in a comment. It is never printed.`;

const TAIL = `## Metrics beyond this host

\`metrics.listen\` on a loopback address (\`127.0.0.1:9105\`, \`[::1]:9105\`) needs nothing else. On any other
address it needs TLS (\`tls_cert_file\` and \`tls_key_file\`), and who asks must prove who they are: with the
token of \`bearer_file\`, or with a certificate of \`client_ca_file\`. Anything less is a problem, and the port
stays closed.

## Fields that never leave the host

\`report.exclude\` takes patterns: the name of a section, then field names joined by dots. \`*\` is any field,
\`name[]\` steps into every item of a list.

\`\`\`toml
[report]
exclude = ["system.hardware.product.serial", "local.*", "network.interfaces[].mac"]
\`\`\`

A registration needs a name: with \`system.hostname\` excluded it is \`node-\` and the beginning of the machine id,
in \`node_name\` too where that says \`{hostname}\`. \`system.fqdn\` holds the host's name as well. Where the server
has no agent API nothing is sent, and this node can't be found there by its name then.
\`foundry-agent config check\` warns of a pattern that fits no field.`;
