/**
 * Alert rules and dashboard name what the program really says: every metric, label, condition and command in them
 * is compared with the declarations, and promtool (where it is) checks and plays the rules.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { allCommands } from "../../scripts/docs/declared.ts";
import { families } from "../support/machine/families.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const DOCS = new URL("../../docs/", import.meta.url).pathname;
const FOLDER = join(DOCS, "monitoring");
const read = (name: string): string => readFileSync(join(FOLDER, name), "utf8");
const RULES = "foundry-agent.rules.yml";
const TESTS = "foundry-agent.rules.test.yml";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}
interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** Prometheus puts these on every series; the last is of node_exporter, about the textfile. */
const PROMETHEUS_LABELS = new Set(["job", "instance"]);
const NOT_OURS = new Set(["node_textfile_mtime_seconds"]);
const KEYWORDS = new Set(
  "by without on ignoring group_left group_right and or unless bool offset".split(" "),
);

/** Conditions of which a metric says the same, and the rule that goes by it. */
// biome-ignore format: a table is read by its columns
const SAID_BY_A_METRIC: Readonly<Record<string, string>> = {
  smart_warning:             "FoundryDriveWarning",
  drive_missing:             "FoundryDriveMissing",
  drives_missing:            "FoundryDriveMissing",
  memory_uncorrected_errors: "FoundryMemoryUncorrected",
  collector_failed:          "FoundryCollectorFailed",
  reporting_failed:          "FoundryReportingFails",
  bmc_chassis_fault:         "FoundryBmcChassisFault",
  bmc_no_answer:             "FoundryBmcSilent",
};

interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly text: string;
}

const dashboard = JSON.parse(read("grafana-dashboard.json")) as Dashboard;
const alerts: Alert[] = read(RULES)
  .split(/^ {6}- (?=alert: )/m)
  .slice(1)
  .map((text) => {
    const [, name = ""] = /^alert: (\S+)$/m.exec(text) ?? [];
    const [, block, line] = /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.+)\n)/m.exec(text) ?? [];
    return { name, expr: block ?? line ?? "", text };
  });
const shown = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ name: title, expr })),
);
const chosen = dashboard.templating.list.flatMap(({ name, definition }) =>
  definition === undefined ? [] : [{ name, expr: definition.replace(/^label_values\((.*), \w+\)$/, "$1") }],
);
const all = [...alerts, ...shown, ...chosen];

/** The metrics an expression names: identifiers that are no label, function or keyword. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/"[^"]*"/g, "")
    .replace(/\{[^}]*\}/g, " ")
    .replace(/\[[^\]]*\]/g, " ")
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
  return [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g)]
    .map(([word]) => word)
    .filter((word) => !KEYWORDS.has(word));
}

/** metric, label, operator, value: each matcher in an expression. */
function matchersOf(expr: string): { metric: string; label: string; value: string }[] {
  return [...expr.matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g)].flatMap(([, metric = "", inside = ""]) =>
    [...inside.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)].map(([, label = "", value = ""]) => ({
      metric,
      label,
      value,
    })),
  );
}

describe("rules and dashboard", () => {
  it("name metrics that a collector or the agent itself declares", async () => {
    const declared = await families();
    expect(alerts.length).toBeGreaterThan(20);
    expect(shown.length).toBeGreaterThan(40);
    const unknown = all.flatMap(({ name, expr }) =>
      metricsOf(expr)
        .filter((metric) => !declared.has(metric) && !NOT_OURS.has(metric))
        .map((metric) => `${name}: ${metric}`),
    );
    expect(unknown).toEqual([]);
    for (const { name, expr } of all) expect(metricsOf(expr), name).not.toEqual([]);
  });

  it("ask for labels that these metrics have, wherever a fixture has one of them", async () => {
    const declared = await families();
    let compared = 0;
    const wrong = all.flatMap(({ name, expr }) =>
      matchersOf(expr)
        .filter(
          ({ metric, label }) => !PROMETHEUS_LABELS.has(label) && (declared.get(metric)?.length ?? 0) > 0,
        )
        .filter(({ metric, label }) => {
          compared++;
          return declared.get(metric)?.every(({ labels = {} }) => !Object.hasOwn(labels, label));
        })
        .map(({ metric, label }) => `${name}: ${metric}{${label}}`),
    );
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(25);
  });

  it("know no condition that docs/troubleshooting.md does not", () => {
    const page = readFileSync(join(DOCS, "troubleshooting.md"), "utf8");
    const codes = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code ?? "");
    const asked = all
      .flatMap(({ expr }) => matchersOf(expr))
      .filter(({ metric, label }) => metric === "foundry_agent_conditions" && label === "code")
      .flatMap(({ value }) => value.split("|"));
    expect(asked.length).toBeGreaterThan(20);
    const strange = asked.filter((one) => !codes.some((code) => new RegExp(`^(?:${one})$`).test(code)));
    expect(strange).toEqual([]);
  });

  it("leave out no condition that somebody must act on", () => {
    const page = readFileSync(join(DOCS, "troubleshooting.md"), "utf8");
    const codes = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code ?? "");
    const ofRest = alerts.filter(({ expr }) => expr.includes("code!~"));
    expect(ofRest.map(({ name }) => name)).toEqual(["FoundryConditionLasts"]);
    const leftOut = matchersOf(ofRest[0]?.expr ?? "").flatMap(({ label, value }) =>
      label === "code" ? value.split("|") : [],
    );
    const asked = alerts
      .filter((alert) => !ofRest.includes(alert))
      .flatMap(({ expr }) => matchersOf(expr))
      .filter(({ metric, label }) => metric === "foundry_agent_conditions" && label === "code");
    const own = codes.filter((code) => asked.some(({ value }) => new RegExp(`^(?:${value})$`).test(code)));
    for (const [, alert] of Object.entries(SAID_BY_A_METRIC))
      expect(alerts.map(({ name }) => name)).toContain(alert);
    const [, table = ""] = /Without an alert are:\n\n((?:\|.*\n)+)/.exec(
      readFileSync(join(DOCS, "monitoring.md"), "utf8"),
    ) ?? [""];
    const without = [...table.matchAll(/^\| `([a-z_]+)` \| [^|]+ \|$/gm)].map(([, code]) => code ?? "");
    expect(without.length).toBeGreaterThan(0);
    // What is left out of the last rule is told by another, or said to have none: exactly.
    expect(leftOut.sort()).toEqual(
      [...new Set([...own, ...Object.keys(SAID_BY_A_METRIC), ...without])].sort(),
    );
  });

  it("judge by verdicts there are", () => {
    const verdicts = all
      .flatMap(({ expr }) => matchersOf(expr))
      .filter(({ metric, label }) => metric === "foundry_agent_smart_verdict" && label === "verdict");
    expect([...new Set(verdicts.map(({ value }) => value))].sort()).toEqual([
      "asleep",
      "fail",
      "ok",
      "unknown",
      "warn",
    ]);
    // None of an alert: what is not known has not failed.
    const alarming = alerts
      .flatMap(({ expr }) => matchersOf(expr))
      .filter(({ label }) => label === "verdict");
    expect([...new Set(alarming.map(({ value }) => value))].sort()).toEqual(["fail", "warn"]);
  });
});

describe("alert rules", () => {
  it("each have a severity, and say what is wrong and what to type", async () => {
    const names = new Set((await allCommands()).map(({ name }) => name));
    for (const { name, text } of alerts) {
      expect(text, name).toMatch(/^ {10}severity: (?:critical|warning)$/m);
      for (const key of ["summary", "description"])
        expect(text, name).toMatch(new RegExp(`^ {10}${key}: ".+"$`, "m"));
      const [, step = ""] = /^ {10}next_step: "(.+)"$/m.exec(text) ?? [];
      expect(step, name).not.toBe("");
      for (const [, command = ""] of step.matchAll(/\bfoundry-agent ([a-z]+)/g))
        expect([...names], name).toContain(command);
      // What lasts is waited for; what happens (a rate, a growth, an error that can't be undone) is told at once.
      if (!/\b(?:changes|increase|delta)\(|uncorrectable/.test(text))
        expect(text, name).toMatch(/^ {8}for: \d+[mh]$/m);
    }
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  it("are each seen firing in their tests, and stand in the documentation", () => {
    const fired = new Set(
      [...read(TESTS).matchAll(/alertname: (\S+)\n +eval_time: \S+\n +exp_alerts:\n/g)].map(
        ([, name]) => name,
      ),
    );
    expect([...fired].sort()).toEqual(alerts.map(({ name }) => name).sort());
    const page = readFileSync(join(DOCS, "monitoring.md"), "utf8");
    expect([...page.matchAll(/^\| (Foundry\w+) \|/gm)].map(([, name]) => name)).toEqual(
      alerts.map(({ name }) => name),
    );
  });
});

it("the documentation names every metric under smartctl_exporter's name, and no other", async () => {
  const declared = await families();
  const page = readFileSync(join(DOCS, "monitoring.md"), "utf8");
  const [, list = ""] = /so dashboards made for it work:\n\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const named = [...list.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  expect(named.sort()).toEqual([...declared.keys()].filter((name) => name.startsWith("smartctl_")).sort());
});

describe("the dashboard", () => {
  it("has panels with ids of their own, places of their own, and something to show", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const taken = new Map<string, string>();
    for (const { title, type, gridPos, targets = [] } of dashboard.panels) {
      expect(title).not.toBe("");
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), title).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
      expect(targets.length > 0, title).toBe(type !== "row");
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      // Whatever is chosen at the top holds everywhere.
      for (const { expr } of targets)
        expect([...expr.matchAll(/job=~"\$job",instance=~"\$instance"/g)].length, expr).toBe(
          [...expr.matchAll(/\{/g)].length,
        );
    }
  });
});

describe("promtool", () => {
  function promtool(
    context: TestContext,
    args: readonly string[],
    cwd = FOLDER,
  ): { status: number | null; said: string } {
    const { status, stdout, stderr, error } = spawnSync("promtool", args, { cwd, encoding: "utf8" });
    if (error) {
      console.warn("skipped: promtool is not installed (Debian package prometheus)");
      context.skip("promtool is not installed");
    }
    return { status, said: stdout + stderr };
  }

  it("takes the rules", (context) => {
    const { status, said } = promtool(context, ["check", "rules", RULES]);
    expect([status, said]).toEqual([0, expect.stringContaining(`SUCCESS: ${alerts.length} rules found`)]);
  });

  it("sees each alert fire on what it should, and none on what is absent or unknown", (context) => {
    const { status, said } = promtool(context, ["test", "rules", TESTS]);
    expect([status, said]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });

  it("takes every question of the dashboard", (context) => {
    const folder = temporaryFolder();
    const rules = shown.map(
      ({ expr }, index) =>
        `      - record: panel:question:${index}\n        expr: ${JSON.stringify(expr.replaceAll("$__rate_interval", "5m"))}\n`,
    );
    writeFileSync(join(folder, "panels.yml"), `groups:\n  - name: panels\n    rules:\n${rules.join("")}`);
    const { status, said } = promtool(context, ["check", "rules", "panels.yml"], folder);
    expect([status, said]).toEqual([0, expect.stringContaining(`SUCCESS: ${rules.length} rules found`)]);
  });
});
