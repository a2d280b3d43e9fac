/**
 * The files of a diagnostics bundle as texts. Everything passes `withoutSecrets` (fields by name, tokens by
 * look), and what report.exclude names is hidden where it shows up in sentences, commands, events and log
 * lines; the report was freed of it before.
 */

import { release } from "node:os";
import type { HistoryEntry } from "../../commands/record.ts";
import type { EffectiveValue } from "../../config/effective.ts";
import type { AgentEvent } from "../../model/event.ts";
import type { Report } from "../../model/report.ts";
import { isSecretName, withoutSecrets } from "../../model/text/log-line.ts";
import { plural } from "../../model/text/sentence.ts";
import { COMMIT } from "../../model/version.ts";
import type { AgentStatus } from "../../sockets/agent-view.ts";
import { wholeCommandWire } from "../../sockets/wire/command.ts";
import { rfc3339 } from "../../sockets/wire/rfc3339.ts";
import { conditionWire, eventWire, sectionHead, statusWire } from "../../sockets/wire/wire.ts";
import type { StoredCommand } from "../../store/types.ts";
import { BUNDLE_FILES, NOT_IN_IT } from "./contents.ts";

export interface BundleInput {
  /** Of the command that asked for it; null: somebody at the control socket did. */
  readonly id: string | null;
  readonly status: AgentStatus;
  /** As it is told to control APIs: excluded fields are left out already. */
  readonly report: Report;
  /** Newest first. */
  readonly commands: readonly {
    readonly command: StoredCommand;
    readonly history: readonly HistoryEntry[];
  }[];
  /** Oldest first, as are the lines. */
  readonly events: readonly AgentEvent[];
  readonly log: readonly string[];
  readonly config: readonly EffectiveValue[];
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly os: string;
  /** A copy in which no value that report.exclude names is left. */
  hide<T>(value: T): T;
}

/** How much of what grows without end goes in; for a bundle that would be too large it is cut. */
export interface Cut {
  readonly commands: number;
  readonly events: number;
  readonly lines: number;
  /** Sections with what was found, or only with how they fare. */
  readonly data: boolean;
}

/** Name → text, README.txt first. @param now wall clock, milliseconds */
export function bundleTexts(input: BundleInput, cut: Cut, now: number): [name: string, text: string][] {
  const safe = (value: unknown): unknown => input.hide(withoutSecrets(value));
  const json = (value: unknown): string => `${JSON.stringify(safe(value), null, 1)}\n`;
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");
  const last = <T>(list: readonly T[], most: number): readonly T[] => (most === 0 ? [] : list.slice(-most));
  const texts: Record<(typeof BUNDLE_FILES)[number][0], () => string> = {
    "report.json": () => `${JSON.stringify(withoutSecrets(reportWire(input.report, cut.data)), null, 1)}\n`,
    "conditions.json": () => json(input.status.conditions.map(conditionWire)),
    "status.json": () => json(statusWire(input.status, now)),
    "commands.json": () => json(input.commands.slice(0, cut.commands).map(commandText)),
    "events.ndjson": () =>
      lines(last(input.events, cut.events).map((event) => JSON.stringify(safe(eventWire(event))))),
    "log.txt": () => lines(last(input.log, cut.lines).map((line) => String(safe(line)))),
    "versions.json": () => json(versions(input)),
    "config.toml": () => lines(input.config.map((value) => configLine(value, safe))),
  };
  return [
    ["README.txt", readme(input, cut, now)],
    ...BUNDLE_FILES.map(([name]): [string, string] => [name, texts[name]()]),
  ];
}

function reportWire(report: Report, data: boolean) {
  return {
    boot_id: report.bootId,
    sections: Object.fromEntries(
      Object.values(report.sections).map((section) => [
        section.name,
        { ...sectionHead(section), data: data ? section.data : null },
      ]),
    ),
  };
}

function commandText({ command, history }: BundleInput["commands"][number]) {
  return {
    ...wholeCommandWire(command, []),
    progress: parsed(command.progress ?? null),
    history: history.map(({ at, state, step, text }) => ({ at: rfc3339(at), state, step, text })),
  };
}

/** What is stored as JSON; as it stands when it is damaged. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function versions({ status, os }: BundleInput) {
  const { node, v8 = null, openssl = null, sqlite = null } = process.versions;
  const { arch, platform } = process;
  return {
    agent: status.version,
    commit: COMMIT,
    node,
    v8,
    openssl,
    sqlite,
    platform,
    arch,
    kernel: release(),
    os,
  };
}

function configLine({ key, value, origin, note }: EffectiveValue, safe: (value: unknown) => unknown): string {
  const from = origin === null ? "default" : `${origin.file}:${origin.line}`;
  if (value === null) return `# ${key}: ${String(safe(note))}`;
  const secret = isSecretName(key.split(".").at(-1) ?? "") || isSecretName(key);
  const shown = JSON.stringify(secret ? "[hidden]" : safe(value));
  return `${key} = ${shown}  # ${String(safe(from))}`;
}

function readme(input: BundleInput, cut: Cut, now: number): string {
  const files = BUNDLE_FILES.map(([name, what]) => `${name.padEnd(16)} ${what}`);
  const why =
    input.id === null ? "Asked for on the control socket." : `Asked for by the command ${input.id}.`;
  const left = [
    ...(cut.events < input.events.length
      ? [`the last ${cut.events} of ${plural(input.events.length, "event")}`]
      : []),
    ...(cut.lines < input.log.length
      ? [`the last ${cut.lines} of ${plural(input.log.length, "log line")}`]
      : []),
    ...(cut.commands < input.commands.length
      ? [`the last ${cut.commands} of ${plural(input.commands.length, "command")}`]
      : []),
    ...(cut.data ? [] : ["sections without their data"]),
  ];
  return [
    `Diagnostics of foundry-agent, made ${rfc3339(now)}. ${why}`,
    "",
    ...files,
    "",
    NOT_IN_IT,
    ...(left.length === 0 ? [] : ["", `Cut because it would have become too large: ${left.join(", ")}.`]),
    "",
  ].join("\n");
}
