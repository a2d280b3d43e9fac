/**
 * Every key of the configuration, declared once: section, name, kind, what holds without it, one
 * sentence of documentation; those of a control API in its own folder. The checks, the typed Config,
 * docs/config.example.toml and docs/configuration.md all follow from this table (`npm run derive` writes the files).
 */

import { isBusyFile } from "../commands/gates/update-marks.ts";
import { isWindow, WINDOW_EXPECTED } from "../commands/gates/windows.ts";
import { CONTROL_APIS } from "../control/index.ts";
import { METERED_DOC } from "../control/metered.ts";
import {
  choice,
  file,
  flag,
  folder,
  type KeyDeclaration,
  parseListen,
  type SectionDeclaration,
  seconds,
  span,
  word,
  words,
} from "../model/config-key.ts";

/** `POLICY_PATH` of the helper, whose file the daemon does not load for this. */
const POLICY_FILE = "/etc/foundry-agent/policy.toml";
const CHECKS_DIR = "/etc/foundry-agent/checks.d";
/** A path pattern as model/facets.ts reads it: `drives.drives[id].serial`, `local.*`. */
const PATTERN = /^[a-z][a-z0-9_]*(?:\[[a-z0-9_]*\])?(?:\.(?:[A-Za-z0-9_-]+|\*)(?:\[[a-z0-9_]*\])?)*$/;

/** An absolute path. */
function path(fallback: string, doc: string) {
  const isPath = (value: string): boolean => value.startsWith("/") && !value.split("/").includes("..");
  return { ...word(isPath, { expected: "an absolute path", example: fallback, doc }), fallback };
}

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
      profile: choice(["normal", "metered"], "normal", METERED_DOC),
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
      after_boot_s: span(
        0,
        3_600,
        180,
        "After a reboot that was asked for, how long it may take until all works that worked before it. 0: the node is not looked at, and a new boot id is all there is to it.",
      ),
      checks_dir: path(
        CHECKS_DIR,
        "Programs of this host's own that say whether something works, run without a shell before a reboot and after it, as the agent's own user. Only root may own them or write into a folder above them.",
      ),
      check_timeout_s: span(1, 60, 10, "How long each of these may take."),
      policy_file: path(
        POLICY_FILE,
        "What root lets be done to this host. The helper has a path of its own.",
      ),
    },
  },
} as const satisfies Record<string, SectionDeclaration>;

const { commands, ...before } = CONFIG_SECTIONS;

/** Every section in the order of the example file: that of each control API under its name. */
export const SECTIONS: Readonly<Record<string, SectionDeclaration>> = {
  ...before,
  ...Object.fromEntries(CONTROL_APIS.map(({ name, config }) => [name, config])),
  commands,
};

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
