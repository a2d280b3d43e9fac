/**
 * Every key of the configuration, declared once: section, name, kind, what holds without it, one
 * sentence of documentation. The checks, the typed Config, docs/config.example.toml and
 * docs/configuration.md all follow from this table (`node scripts/docs/config-docs.ts` writes the two files).
 */

import { isBusyFile } from "../commands/gates/update-marks.ts";
import { isWindow, WINDOW_EXPECTED } from "../commands/gates/windows.ts";
import {
  choice,
  file,
  flag,
  folder,
  type KeyDeclaration,
  parseListen,
  seconds,
  span,
  url,
  word,
  words,
} from "./kinds.ts";
import { templateProblem } from "./name-template.ts";

export interface SectionDeclaration {
  readonly doc: string;
  readonly keys: Readonly<Record<string, KeyDeclaration>>;
}

/** `POLICY_PATH` of the helper, whose file the daemon does not load for this. */
const POLICY_FILE = "/etc/foundry-agent/policy.toml";
/** A path pattern as model/facets.ts reads it: `drives.drives[id].serial`, `local.*`. */
const PATTERN = /^[a-z][a-z0-9_]*(?:\[[a-z0-9_]*\])?(?:\.(?:[A-Za-z0-9_-]+|\*)(?:\[[a-z0-9_]*\])?)*$/;

export const CONFIG_SECTIONS = {
  agent: {
    doc: "The daemon itself.",
    keys: {
      hardware: flag(
        false,
        "Whether this agent may touch hardware: let the light of a drive blink or start a self-test, where the policy allows it, and, run as root without the helper, ask drives and BMC itself. False: it observes and reports only.",
      ),
      name: word((value) => value.length <= 253, {
        expected: "a name of at most 253 characters",
        absent: "the hostname",
        example: "rack4-node07",
        doc: "What this node is called in status and logs.",
      }),
      state_dir: folder(
        "/var/lib/foundry-agent, or foundry-agent under $XDG_STATE_HOME when not root",
        "/var/lib/foundry-agent",
        "Where identity, journal and events are kept. Must survive a restart.",
      ),
      run_dir: folder(
        "/run/foundry-agent, or foundry-agent under $XDG_RUNTIME_DIR when not root",
        "/run/foundry-agent",
        "Where status.sock and control.sock are made.",
      ),
      log_level: choice(["error", "warn", "info", "debug"], "info", "How much is logged."),
    },
  },
  network: {
    doc: "How sparing the agent is with the network.",
    keys: {
      profile: choice(
        ["normal", "metered"],
        "normal",
        "metered: for mobile links. No long polls, at most one round in 15 minutes, small changes are left out.",
      ),
    },
  },
  report: {
    doc: "What is reported.",
    keys: {
      exclude: words((value) => PATTERN.test(value), {
        expected: 'a list of field patterns such as "local.*" or "system.hostname"',
        example: '["system.hostname", "local.*"]',
        doc: "Fields that never leave this host, in no report, event or diagnostics bundle.",
      }),
    },
  },
  metrics: {
    doc: "Prometheus metrics. They are always on the status socket (/metrics); here they can be had elsewhere too.",
    keys: {
      listen: word((value) => parseListen(value) !== null, {
        expected: 'an address and port such as "127.0.0.1:9105" or "[::1]:9105"',
        absent: "off",
        example: "127.0.0.1:9105",
        doc: "Serve /metrics over TCP. Beyond loopback only with TLS and a bearer file or a client CA.",
      }),
      tls_cert_file: file("/etc/foundry-agent/metrics.crt", "Certificate chain for listen, PEM."),
      tls_key_file: file("/etc/foundry-agent/metrics.key", "Private key for listen, PEM."),
      bearer_file: file(
        "/etc/foundry-agent/metrics.token",
        "Who scrapes must send this file's content as bearer token.",
      ),
      client_ca_file: file(
        "/etc/foundry-agent/scrapers-ca.crt",
        "Who scrapes must show a certificate of this CA.",
      ),
      serials: flag(
        false,
        "Fill the serial number labels; the status socket is readable by every local user.",
      ),
      textfile: word((value) => /^\/.*[^/]\.prom$/.test(value) && !value.split("/").includes(".."), {
        expected: "an absolute path that ends in .prom",
        absent: "off",
        example: "/var/lib/prometheus/node-exporter/foundry-agent.prom",
        doc: "Write the metrics to this file for node_exporter's textfile collector, atomically.",
      }),
      exclude: words((value) => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(value), {
        expected: "a list of metric family names",
        example: '["node_disk_io_time_seconds_total"]',
        doc: "Metric families to leave out.",
      }),
    },
  },
  memory: {
    doc: "The agent's own memory.",
    keys: {
      housekeeping: flag(
        true,
        "Give memory back to the system after each round; costs a little CPU. Without, an idle agent keeps what it once used.",
      ),
    },
  },
  nodefoundry: {
    doc: "The NodeFoundry control API.",
    keys: {
      enabled: {
        ...flag(true, "Whether to report to NodeFoundry."),
        fallback: null,
        absent: "true as soon as any other key of this section is set",
      },
      url: {
        ...url(false, "", "https://api.nodefoundry.io", "Base URL of the server."),
        fallback: "https://api.nodefoundry.io",
        absent: null,
      },
      enrol_key_file: file(
        "/etc/foundry-agent/enrol.key",
        "Key that registers this node and does nothing else (nf_en_…).",
      ),
      key_file: file(
        "credential:nodefoundry-key",
        "Account or read-only key, used where the server has no agent API.",
      ),
      node_name: word((value) => value.length <= 253 && templateProblem(value) === null, {
        expected: "a name of at most 253 characters, in braces only {hostname} and {serial}",
        absent: "agent.name, else the hostname",
        example: "{hostname}",
        doc: "Name to register under; {hostname} and {serial} stand for this node's own.",
      }),
      interval_s: seconds(10, 86_400, "what the server wishes, 60 at first", 60, "Pause between two rounds."),
      ca_file: file(
        "/etc/foundry-agent/ca.crt",
        "CA of the server where it is a private one, PEM. Replaces the public CAs.",
      ),
      cert_file: file(
        "/etc/foundry-agent/client.crt",
        "Client certificate for mutual TLS, PEM; with key_pem_file.",
      ),
      key_pem_file: file("/etc/foundry-agent/client.key", "Private key of cert_file, PEM."),
      proxy_url: url(true, "no proxy", "http://proxy.example.net:3128", "HTTP proxy for this server."),
      proxy_credentials_file: file(
        "/etc/foundry-agent/proxy.credentials",
        "One line user:password for the proxy.",
      ),
      no_proxy: words((value) => /^\*$|^\.?[A-Za-z0-9_.:/[\]-]+$/.test(value), {
        expected: "a list of host names, .domains, addresses or networks",
        example: '["10.0.0.0/8", ".example.net"]',
        doc: "Hosts that are reached without the proxy.",
      }),
    },
  },
  commands: {
    doc: "When commands are carried out. Whether they are at all is said in policy.toml, by root.",
    keys: {
      grace_s: span(
        0,
        86_400,
        60,
        "How long a remote command that takes the node out of service waits before it begins, so that it can still be stopped.",
      ),
      splay_s: span(
        0,
        86_400,
        60,
        "Up to so much more, another share on each node, so that a fleet does not go down at once.",
      ),
      windows: words(isWindow, {
        expected: `a list of ${WINDOW_EXPECTED}`,
        example: '["mon-fri 22:00-06:00", "sat,sun 00:00-24:00"]',
        doc: "Maintenance windows: remote commands that take the node out of service wait for one. Empty: at any time.",
      }),
      time_zone: word((value) => /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(value), {
        expected: "the name of a time zone such as Europe/Berlin",
        absent: "the host's own",
        example: "Europe/Berlin",
        doc: "Time zone of the windows.",
      }),
      wait_for_sessions: flag(
        false,
        "Whether a remote command that takes the node out of service waits while somebody is logged in.",
      ),
      busy_files: words(isBusyFile, {
        expected: 'a list of absolute paths, with "locked:" before those of lock files',
        example: '["/run/backup.running", "locked:/run/lock/our-updater.lock"]',
        doc: "Nothing takes the node out of service while one of these files is there, or somebody holds a lock on it.",
      }),
      uptime_guard_s: span(
        0,
        86_400,
        300,
        "So long after the start nothing takes the node out of service: against loops of reboots.",
      ),
      policy_file: {
        ...word((value) => value.startsWith("/") && !value.split("/").includes(".."), {
          expected: "an absolute path",
          example: POLICY_FILE,
          doc: "What root lets be done to this host. The helper has a path of its own.",
        }),
        fallback: POLICY_FILE,
      },
    },
  },
} as const satisfies Record<string, SectionDeclaration>;

/** Keys of earlier versions, and what to do about them. */
export const MOVED_KEYS: ReadonlyMap<string, { readonly message: string; readonly nextStep: string }> =
  new Map([
    [
      "commands.remote",
      {
        message: `this is said in ${POLICY_FILE} now, which only root can change`,
        nextStep: `remove it, and write remote = "off", "rehearse" or "on" below [commands] in ${POLICY_FILE}`,
      },
    ],
  ]);

/** What each `[collectors.NAME]` may hold, beside options of the collector's own. */
export const COLLECTOR_KEYS = {
  enabled: flag(true, "Whether to collect this section."),
  interval_s: seconds(1, 86_400, "the collector's own", 60, "Pause between two collections."),
  timeout_s: seconds(1, 600, "the collector's own", 10, "How long one collection may take."),
} as const satisfies Record<string, KeyDeclaration>;

export const COLLECTORS_DOC =
  "One table for each collector, [collectors.NAME]; a collector may have options of its own beside these.";
