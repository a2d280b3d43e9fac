import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openLog } from "../../src/agent/log.ts";
import { logFormat } from "../../src/agent/log-format.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { Logger } from "../../src/model/log.ts";
import { formatRecord, type LogFormat } from "../../src/model/text/log-line.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

function capture(format: LogFormat, level: "info" | "debug" = "debug"): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  return { log: openLog({ level, format, write: (line) => lines.push(line) }), lines };
}

describe("openLog", () => {
  it("writes one JSON object a line", () => {
    const { log, lines } = capture("json");
    log.warn({ api: "nodefoundry", attempts: 3 }, "round failed");
    const [line] = lines;
    expect(line?.endsWith("}\n")).toBe(true);
    const { time, ...record } = JSON.parse(line ?? "");
    expect(record).toEqual({ level: 40, api: "nodefoundry", attempts: 3, msg: "round failed" });
    expect(new Date(time).toISOString()).toBe(time);
  });

  it("writes one plain line with its syslog priority under journald", () => {
    const { log, lines } = capture("journal");
    log.fatal("a");
    log.error(new AgentError("x", "no such\nfile"), "read");
    log.warn({ path: "/a b", count: 2 }, "late");
    log.child({ api: "netbox" }).info("hello");
    log.debug("detail");
    expect(lines).toEqual([
      "<2>a\n",
      "<3>read: no such file\n",
      '<4>late path="/a b" count=2\n',
      "<6>hello api=netbox\n",
      "<7>detail\n",
    ]);
  });

  it("writes a time and a word on a terminal, and nothing that could move its cursor", () => {
    const { log, lines } = capture("terminal");
    log.info({ model: "\u001b[31mEVIL\u001b]0;x\u0007\r\n<0>fake" }, "drive \u001b[2J\u202egone");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}drive \?\[2J\?gone model="/);
    expect(lines.join("")).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(lines.join("").split("\n")).toHaveLength(2);
  });

  it("says the message of an error once, with its causes", () => {
    const { log, lines } = capture("journal");
    log.error(new Error("outer", { cause: new Error("inner") }));
    log.error({ error: new Error("thrown") }, "failed");
    expect(lines).toEqual(["<3>outer: inner\n", "<3>failed: thrown\n"]);
  });

  it("keeps to its level, also when that changes", () => {
    const { log, lines } = capture("journal", "info");
    log.debug("no");
    log.level = "debug";
    log.debug("yes");
    expect(lines).toEqual(["<7>yes\n"]);
  });
});

describe("no secret reaches the log", () => {
  const CANARY = "Canary0123456789abcdef";
  const secrets = [
    `nf_sk_live_${CANARY}`,
    `nf_sk_test_${CANARY}`,
    `nf_sk_ro_${CANARY}`,
    `nf_nt_${CANARY}`,
    `nf_en_${CANARY}`,
    `Authorization: Bearer ${CANARY}`,
    `"authorization":"Token ${CANARY}"`,
    `Proxy-Authorization: Basic ${CANARY}==`,
    `bearer ${CANARY}`,
    `https://user:${CANARY}@proxy.example:3128/`,
    `eyJhbGciOiJFUzI1NiJ9.${CANARY}.${CANARY}`,
    `-----BEGIN EC PRIVATE KEY-----\n${CANARY}\n-----END EC PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${CANARY}`,
  ];
  const ways: [string, (log: Logger, secret: string) => void][] = [
    ["in the message", (log, secret) => log.info(`sent ${secret} there`)],
    ["by format", (log, secret) => log.info("sent %s and %o", secret, { a: secret })],
    ["in a field", (log, secret) => log.info({ header: secret }, "x")],
    ["in a field's name", (log, secret) => log.info({ [secret]: 1 }, "x")],
    ["deep in an object", (log, secret) => log.info({ a: { b: [{ c: [secret] }] } }, "x")],
    ["in an error's message", (log, secret) => log.error(new Error(`failed: ${secret}`))],
    [
      "in an error's cause",
      (log, secret) => log.error({ err: new Error("x", { cause: new Error(secret) }) }, "y"),
    ],
    [
      "in a field of an error",
      (log, secret) => log.error(Object.assign(new Error("x"), { request: { secret } })),
    ],
    ["in an error under another name", (log, secret) => log.error({ error: new Error(secret) }, "x")],
    ["in many errors", (log, secret) => log.error(new AggregateError([new Error(secret)], "x"))],
    ["in a child's binding", (log, secret) => log.child({ url: secret }).info("x")],
    ["as JSON in a text", (log, secret) => log.info(JSON.stringify({ inner: JSON.stringify({ secret }) }))],
    ["after a line break", (log, secret) => log.info({ body: `a\n${secret}` }, `b\n${secret}`)],
  ];
  it.each(ways)("%s", (_name, write) => {
    for (const format of ["json", "journal", "terminal"] as const) {
      for (const secret of secrets) {
        const { log, lines } = capture(format);
        write(log, secret);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain("Canary");
      }
    }
  });

  it("fields whose name says it are hidden whatever they hold", () => {
    const { log, lines } = capture("json");
    log.info({
      headers: { authorization: "short", Cookie: "a=b", "set-cookie": ["c"] },
      password: "pw",
      node_token: "x",
      nodeToken: "y",
      apiKey: "z",
    });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      headers: { authorization: "[hidden]", Cookie: "[hidden]", "set-cookie": "[hidden]" },
      password: "[hidden]",
      node_token: "[hidden]",
      nodeToken: "[hidden]",
      apiKey: "[hidden]",
    });
  });

  it("and what is no secret stays readable", () => {
    const text = "token rejected, basic authentication needed, digest mismatch at https://api.example/v1?x=1";
    expect(formatRecord(JSON.stringify({ level: 30, msg: text, key: "drives", tokens: 3 }), "journal")).toBe(
      `<6>${text} key=drives tokens=3`,
    );
  });
});

describe("logFormat", () => {
  it("is the journal's only when JOURNAL_STREAM names the very file", () => {
    const fd = openSync(join(temporaryFolder(), "journal"), "w");
    onTestFinished(() => closeSync(fd));
    const { dev, ino } = fstatSync(fd, { bigint: true });
    expect(logFormat({ JOURNAL_STREAM: `${dev}:${ino}` }, fd)).toBe("journal");
    expect(logFormat({ JOURNAL_STREAM: `${dev}:${ino + 1n}` }, fd)).toBe("json");
    expect(logFormat({ JOURNAL_STREAM: "" }, fd)).toBe("json");
    expect(logFormat({}, fd)).toBe("json");
    expect(logFormat({ JOURNAL_STREAM: "8:1" }, 9999)).toBe("json");
  });
});

describe("stderr", () => {
  const program = (body: string): string =>
    `import { openLog } from ${JSON.stringify(new URL("../../src/agent/log.ts", import.meta.url).href)};
     const log = openLog({ level: "info", format: "journal" });\n${body}`;

  it("has the last line before a crash", () => {
    const child = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", program('log.info("last words"); process.kill(process.pid, "SIGKILL");')],
      { encoding: "utf8" },
    );
    expect(child.signal).toBe("SIGKILL");
    expect(child.stderr).toBe("<6>last words\n");
  });

  it("may be gone or full without ending the program", () => {
    const file = join(temporaryFolder(), "out");
    const body = 'for (let i = 0; i < 50; i++) log.info("x".repeat(5000)); console.log("alive");';
    const run = (command: string): void => {
      execFileSync("sh", ["-c", command, process.execPath, program(body), file]);
      expect(readFileSync(file, "utf8")).toBe("alive\n");
    };
    run('"$0" --input-type=module -e "$1" 2>/dev/full >"$2"');
    run('{ "$0" --input-type=module -e "$1" 2>&1 >"$2"; } | true');
  });
});
