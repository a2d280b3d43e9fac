import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { problemText } from "../../src/config/config.ts";
import { effectiveValues } from "../../src/config/effective.ts";
import { loadFiles } from "../support/agent/config.ts";

describe("problems", () => {
  it("names every problem with file, line and what was expected, and leaves what is wrong at its default", () => {
    const { config, text, problems, folder } = loadFiles({
      "config.toml": [
        "hardware = true",
        "[agent]",
        'log_lvl = "debug"',
        'log_level = "deubg"',
        'hardware = "yes"',
        'state_dir = "relative/path"',
        "name = 7",
        "[nodefoundri]",
        "[nodefoundry]",
        'url = "http://api.example.net"',
        "interval_s = 3",
        "no_proxy = 'x'",
        "[collectors.drivs]",
        "[collectors.drives]",
        "interval_s = 1.5",
        "drivtemp = true",
        "skip = [1]",
        "[report]",
        'exclude = ["system.serial", 3,',
        '  "nonsense.*"]',
        "[[metrics]]",
        "[commands]",
        "windows = 1979-05-27",
      ].join("\n"),
      "conf.d/late.toml": "commands = 1\n",
    });
    const file = join(folder, "config.toml");
    const at = problems.filter((problem) => problem.file === file);
    expect(at.map(({ line, key }) => `${line} ${key}`)).toEqual([
      "1 hardware",
      "3 agent.log_lvl",
      "4 agent.log_level",
      "5 agent.hardware",
      "6 agent.state_dir",
      "7 agent.name",
      "8 nodefoundri",
      "10 nodefoundry.url",
      "11 nodefoundry.interval_s",
      "12 nodefoundry.no_proxy",
      "13 collectors.drivs",
      "15 collectors.drives.interval_s",
      "16 collectors.drives.drivtemp",
      "17 collectors.drives.skip[0]",
      "19 report.exclude[1]",
      "19 report.exclude",
      "21 metrics",
      "23 commands.windows",
    ]);
    const said = (line: number): string => problemText(at.find((problem) => problem.line === line) as never);
    expect(said(1)).toContain("this key belongs in [agent]");
    expect(said(3)).toContain('unknown key, did you mean "log_level"?');
    expect(said(4)).toContain(
      'expected one of "error", "warn", "info", "debug", found "deubg" (did you mean "debug"?). To do: write: log_level = "debug"',
    );
    expect(said(5)).toContain(
      "expected true or false, found a text. To do: write for example: hardware = false",
    );
    expect(said(6)).toBe(
      `${file}:6:1: agent.state_dir: expected an absolute path of a folder. To do: write for example: state_dir = "/var/lib/foundry-agent"`,
    );
    expect(said(8)).toContain('unknown section, did you mean "nodefoundry"?');
    expect(said(10)).toContain("expected an https:// URL");
    expect(said(11)).toContain("expected a whole number of seconds from 10 to 86400, found 3");
    expect(said(13)).toContain('there is no such collector, did you mean "drives"?');
    expect(said(16)).toContain('did you mean "drivetemp"?');
    expect(said(21)).toContain("expected a table, found a list");
    expect(said(23)).toContain("found a text");
    expect(text).toContain("conf.d/late.toml:1:1: commands: expected a table, found 1");
    expect(config.agent).toMatchObject({ hardware: false, logLevel: "info", name: null });
    // The good pattern still keeps its field in.
    expect(config.report.exclude).toEqual(["system.serial", "nonsense.*"]);
  });

  it("shows a value that can be no secret, and what to write in its place", () => {
    const said = (text: string): string => loadFiles({ "config.toml": text }).text;
    expect(said('[agent]\nhardware = "true"\n')).toContain(
      'expected true or false, found "true" in quotes. To do: write: hardware = true',
    );
    expect(said('[nodefoundry]\ninterval_s = "60"\n')).toContain(
      'found "60" in quotes. To do: write: interval_s = 60',
    );
    expect(said('[network]\nprofile = "never"\n')).toContain(
      'expected one of "normal", "metered", found "never". To do: write for example: profile = "normal"',
    );
    // Out of range, no number, or a word that could be anything: named by its kind, as any text.
    for (const text of ["5", "007", "9e9", "1234567", "yes"])
      expect(said(`[nodefoundry]\ninterval_s = "${text}"\n`)).toContain("found a text");
    for (const text of ["Zk3vQ9xT2mPq", "averylongwordindeed"])
      expect(said(`[agent]\nlog_level = "${text}"\n`)).toContain("found a text");
    expect(said("[collectors.drivs]\nenabled = true\n")).toContain(
      "To do: write [collectors.drives], or remove the table",
    );
  });

  it("says where a key of an earlier version has gone, and which windows and zones there are", () => {
    const said = (text: string): string => loadFiles({ "config.toml": text }).text;
    expect(said('[commands]\nremote = "on"\n')).toContain(
      'commands.remote: this is said in /etc/foundry-agent/policy.toml now, which only root can change. To do: remove it, and write remote = "off", "rehearse" or "on" below [commands] in /etc/foundry-agent/policy.toml',
    );
    expect(said('[commands]\nwindows = ["mon-fry 22:00-06:00"]\n')).toContain(
      'commands.windows[0]: expected a list of windows such as "mon-fri 22:00-06:00"',
    );
    expect(said('[commands]\ntime_zone = "Europe/Berlim"\n')).toContain(
      'commands.time_zone: the time zone Europe/Berlim is not known. To do: write for example: time_zone = "Europe/Berlin"',
    );
    expect(said('[commands]\nbusy_files = ["relative"]\n')).toContain("expected a list of absolute paths");
    expect(said('[commands]\nbusy_files = ["locked:/run/lock/x"]\ntime_zone = "Europe/Berlin"\n')).toBe("");
  });

  it("explains text that is not TOML at its line", () => {
    const said = (text: string): string => loadFiles({ "config.toml": text }).text;
    expect(said("[agent]\nlog_level = debug\n")).toContain(
      "config.toml:2:13: not valid TOML: expected quotes",
    );
    expect(said("[agent]\nhardware = True\n")).toContain("expected true or false");
    expect(said('[agent]\nname = "x\n')).toContain(
      "config.toml:2:10: not valid TOML: the line ends too early",
    );
    expect(said("[agent]\nname = 'x'\nname = 'y'\n")).toContain(
      "config.toml:3:1: not valid TOML: Cannot redefine existing key 'agent.name'",
    );
    expect(said("[agent]\nx = [1,")).toContain("the text ends too early");
    expect(said(`x = ${"[".repeat(40)}`)).toContain("not valid TOML");
    expect(said("[agent]\nx = 99999999999999999999\n")).toContain("config.toml:2");
  });

  it("takes server URLs by https, by http on loopback only, and never with a password", () => {
    const said = (url: string): string =>
      loadFiles({ "config.toml": `[nodefoundry]\nurl = "${url}"\n` }).text;
    for (const url of [
      "https://x.example/base",
      "http://127.0.0.1:8080",
      "http://[::1]:80",
      "http://localhost:1",
    ])
      expect(said(url)).toBe("");
    for (const url of [
      "http://x.example",
      "ftp://x",
      "https://u:pw@x",
      "https://x?q=1",
      "x",
      "http://127.0.0.1.example",
    ])
      expect(said(url)).toContain("nodefoundry.url: expected an https:// URL");
    expect(
      loadFiles({ "config.toml": '[nodefoundry]\nproxy_url = "http://proxy.example:3128"\n' }).text,
    ).toBe("");
  });

  it("keeps the metrics port closed beyond loopback without TLS and a proof", () => {
    const metrics = (lines: string) => loadFiles({ "config.toml": `[metrics]\n${lines}` });
    for (const host of ["127.0.0.1:9105", "localhost:1", "[::1]:9105"])
      expect(metrics(`listen = "${host}"\n`).problems).toEqual([]);
    expect(metrics('listen = "[::1]:9105"\n').config.metrics.listen).toEqual({ host: "::1", port: 9105 });
    const tls = 'tls_cert_file = "/c"\ntls_key_file = "/k"\n';
    for (const host of ["0.0.0.0:9105", ":9105", "[::]:9105", "10.0.0.7:1", "node.example:9105"]) {
      for (const extra of ["", tls, 'bearer_file = "/b"\n', `bearer_file = "/b"\ntls_key_file = "/k"\n`]) {
        const { config, problems } = metrics(`listen = "${host}"\n${extra}`);
        expect(problems.map(({ key, line }) => `${line} ${key}`)).toContain("2 metrics.listen");
        expect(config.metrics.listen).toBeNull();
      }
      for (const proof of ['bearer_file = "/b"\n', 'client_ca_file = "/a"\n'])
        expect(metrics(`listen = "${host}"\n${tls}${proof}`).problems).toEqual([]);
    }
    // A misspelt guard must not leave an unguarded port.
    expect(metrics('listen = "127.0.0.1:9105"\nbearer_fle = "/b"\n').config.metrics.listen).toBeNull();
    for (const listen of ["9105", "127.0.0.1", "127.0.0.1:99999", "[::1:1", "a b:1"])
      expect(metrics(`listen = "${listen}"\n`).text).toContain("expected an address and port");
  });

  it("finds halves of pairs", () => {
    const said = (text: string): string => loadFiles({ "config.toml": text }).text;
    expect(said('[metrics]\ntls_key_file = "/k"\n')).toContain("tls_key_file needs tls_cert_file");
    expect(said('[metrics]\nclient_ca_file = "/k"\n')).toContain("client certificates need TLS");
    expect(said('[nodefoundry]\ncert_file = "/k"\n')).toContain("cert_file needs key_pem_file");
    expect(said('[nodefoundry]\nproxy_credentials_file = "/k"\n')).toContain("expected proxy_url too");
  });
});

describe("secrets in the configuration", () => {
  const CANARY = "nf_sk_live_Canary0123456789";

  it.each([
    ["the value of a file key", `[nodefoundry]\nkey_file = "${CANARY}"\n`, "2 nodefoundry.key_file"],
    ["an unknown key", `[nodefoundry]\nkey = "${CANARY}"\n`, "2 nodefoundry.key"],
    ["a key's name", `[agent]\n"${CANARY}" = 1\n`, null],
    ["a section's name", `[${CANARY}]\n`, null],
    ["a list", `[nodefoundry]\nno_proxy = [\n"a",\n"${CANARY}"]\n`, "4 nodefoundry.no_proxy"],
    ["a comment", `# ${CANARY}\n[agent]\n`, "1 null"],
    ["a multi-line text", `[agent]\nname = """\n${CANARY}\n"""\n`, "3 agent.name"],
    ["an escaped text", `[agent]\nname = "nf\\u005fsk_live_Canary0123456789"\n`, "2 agent.name"],
    ["a broken line", `[agent]\nname = ${CANARY}\n`, "2 agent.name"],
    ["a key given twice", `[agent]\n${CANARY} = 1\n${CANARY} = 1\n`, null],
    ["a collector's option", `[collectors.ups]\npass = { word = "${CANARY}" }\n`, null],
    ["a collector's name", `[collectors.${CANARY}]\nx = 1\n`, null],
    ["a URL", `[nodefoundry]\nurl = "https://${CANARY}@x.example"\n`, "2 nodefoundry.url"],
    ["a value of the wrong type", `[agent]\nhardware = "${CANARY}"\n`, "2 agent.hardware"],
    ["a token of a node", `[nodefoundry]\nkey_file = "nf_nt_Canary0123456789"\n`, "2 nodefoundry.key_file"],
    ["an enrolment key", `[nodefoundry]\nkey_file = "nf_en_Canary0123456789"\n`, "2 nodefoundry.key_file"],
  ])("are found and never shown: %s", (_where, text, place) => {
    const loaded = loadFiles({ "config.toml": text });
    const secrets = loaded.problems.filter(({ nextStep }) =>
      nextStep.startsWith("move it to a file of its own"),
    );
    expect(secrets.length).toBeGreaterThan(0);
    if (place !== null) expect(secrets.map(({ line, key }) => `${line} ${key}`)).toEqual([place]);
    const shown = JSON.stringify([
      loaded.problems,
      effectiveValues(loaded, []),
      [...loaded.origins],
      loaded.config,
    ]);
    expect(shown).not.toContain("Canary0123456789");
    expect(loaded.text).not.toContain("Canary0123456789");
  });

  it("does not take words of other kinds for secrets", () => {
    expect(loadFiles({ "config.toml": '[nodefoundry]\nca_file = "/etc/conf_en_us.crt"\n' }).problems).toEqual(
      [],
    );
  });
});

it.each([
  ["values by the thousand", `a = [${"{},".repeat(80_000)}]\n`, "too many keys and values"],
  ["keys by the thousand", Array.from({ length: 30_000 }, (_, n) => `k${n}=1`).join("\n"), "too many keys"],
  ["names with dots", `a${".a".repeat(5_000)} = 1\n`, "nested deeper"],
])("%s are one problem, found before anything is made of them", (_what, text, message) => {
  const { problems } = loadFiles({ "config.toml": text });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({
    message: expect.stringContaining(message),
    nextStep: expect.any(String),
  });
});
