/** What can't be seen from one key alone: pairs that belong together, and a port that would be open to all. */

import { openZone } from "../commands/gates/windows.ts";
import { CONTROL_APIS } from "../control/index.ts";
import { isLoopback, pairProblem, type SectionProblem } from "../model/config-key.ts";
import { AgentError } from "../model/errors.ts";
import { nearest } from "../model/text/suggest.ts";
import type { Config } from "./types.ts";

/** Pure, keys named with their section; `sectionNames` are the report's sections, null where they are not known. */
export function crossProblems(config: Config, sectionNames: readonly string[] | null): SectionProblem[] {
  return [
    ...metricsProblems(config),
    ...controlProblems(config),
    ...zoneProblems(config),
    ...excludeProblems(config, sectionNames),
  ];
}

function metricsProblems({ metrics }: Config): SectionProblem[] {
  const found: SectionProblem[] = [];
  const tls = metrics.tlsCertFile !== null && metrics.tlsKeyFile !== null;
  const proof = metrics.bearerFile !== null || metrics.clientCaFile !== null;
  if (metrics.listen !== null && !isLoopback(metrics.listen.host) && !(tls && proof))
    found.push({
      key: "metrics.listen",
      message:
        "this address can be reached from other hosts, expected TLS (tls_cert_file and tls_key_file) and a bearer_file or client_ca_file with it",
      nextStep: 'set them, or listen on loopback: listen = "127.0.0.1:9105"',
    });
  if (tls !== (metrics.tlsCertFile !== null || metrics.tlsKeyFile !== null))
    found.push(within("metrics", pairProblem("tls_cert_file", "tls_key_file", metrics.tlsCertFile !== null)));
  if (metrics.clientCaFile !== null && metrics.tlsCertFile === null && metrics.tlsKeyFile === null)
    found.push({
      key: "metrics.client_ca_file",
      message: "client certificates need TLS, expected tls_cert_file and tls_key_file too",
      nextStep: "set tls_cert_file and tls_key_file, or remove client_ca_file",
    });
  return found;
}

function controlProblems({ control }: Config): SectionProblem[] {
  return CONTROL_APIS.flatMap(({ name, check }) =>
    check(control[name] as Parameters<typeof check>[0]).map((problem) => within(name, problem)),
  );
}

function within(section: string, problem: SectionProblem): SectionProblem {
  return { ...problem, key: `${section}.${problem.key}` };
}

/** Only a zone that is named is looked up: the tables of zones cost memory. */
function zoneProblems({ commands }: Config): SectionProblem[] {
  if (commands.timeZone === null) return [];
  try {
    openZone(commands.timeZone);
    return [];
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const nextStep = error.nextStep ?? "timedatectl list-timezones";
    return [{ key: "commands.time_zone", message: error.message, nextStep }];
  }
}

/** A pattern that excludes nothing lets out what somebody wanted to keep. */
function excludeProblems({ report }: Config, sectionNames: readonly string[] | null): SectionProblem[] {
  if (sectionNames === null) return [];
  return report.exclude.flatMap((pattern) => {
    const section = /^[a-z0-9_]*/.exec(pattern)?.[0] ?? "";
    if (sectionNames.includes(section)) return [];
    const meant = nearest(section, sectionNames);
    return {
      key: "report.exclude",
      message: `a pattern begins with "${section}", expected the name of a section: ${sectionNames.join(", ")}`,
      nextStep: `write for example: ${meant ?? "system"}${pattern.slice(section.length)}`,
    };
  });
}
