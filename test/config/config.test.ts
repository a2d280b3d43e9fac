import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectorConfig, loadConfig } from "../../src/config/config.ts";
import { effectiveValues } from "../../src/config/effective.ts";
import { MAX_CONFIG_BYTES } from "../../src/config/file.ts";
import { COLLECTORS, loadFiles } from "../support/agent/config.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

describe("loadConfig", () => {
  it("holds the defaults without any file", () => {
    const folder = temporaryFolder();
    const loaded = loadConfig({ uid: 1000, env: { HOME: folder } });
    expect(loaded).toMatchObject({ problems: [], files: [] });
    expect(loaded.origins.size).toBe(0);
    expect(loaded.config).toEqual({
      file: join(folder, ".config/foundry-agent/config.toml"),
      agent: {
        hardware: false,
        name: null,
        stateDir: join(folder, ".local/state/foundry-agent"),
        runDir: join(folder, ".local/state/foundry-agent"),
        logLevel: "info",
      },
      network: { profile: "normal" },
      report: { exclude: [] },
      metrics: {
        listen: null,
        tlsCertFile: null,
        tlsKeyFile: null,
        bearerFile: null,
        clientCaFile: null,
        serials: false,
        textfile: null,
        exclude: [],
      },
      memory: { housekeeping: true },
      control: expect.objectContaining({
        nodefoundry: {
          enabled: false,
          url: "https://api.nodefoundry.io",
          enrolKeyFile: null,
          keyFile: null,
          nodeName: null,
          intervalS: null,
          caFile: null,
          certFile: null,
          keyPemFile: null,
          proxyUrl: null,
          proxyCredentialsFile: null,
          noProxy: [],
        },
      }),
      commands: {
        graceS: 60,
        splayS: 60,
        windows: [],
        timeZone: null,
        waitForSessions: false,
        busyFiles: [],
        afterBootS: 180,
        checksDir: "/etc/foundry-agent/checks.d",
        checkTimeoutS: 10,
        uptimeGuardS: 300,
        policyFile: "/etc/foundry-agent/policy.toml",
      },
      collectors: {},
    });
  });

  it("takes folders from XDG for users and from the system for root and for who runs on the system's file", () => {
    const system = temporaryFolder();
    const env = {
      HOME: "/home/ada",
      XDG_STATE_HOME: "/xs",
      XDG_RUNTIME_DIR: "/xr",
      XDG_CONFIG_HOME: "relative",
    };
    const user = loadConfig({ uid: 1000, env, systemFolder: system });
    expect(user.config.agent).toMatchObject({ stateDir: "/xs/foundry-agent", runDir: "/xr/foundry-agent" });
    expect(user.watch).toEqual([
      "/home/ada/.config/foundry-agent/config.toml",
      "/home/ada/.config/foundry-agent/conf.d",
    ]);
    const folders = { stateDir: "/var/lib/foundry-agent", runDir: "/run/foundry-agent" };
    expect(loadConfig({ uid: 0, env, systemFolder: system }).config.agent).toMatchObject(folders);
    const file = join(system, "config.toml");
    writeFileSync(file, "");
    expect(loadConfig({ file, uid: 990, env, systemFolder: system }).config.agent).toMatchObject(folders);
  });

  it("merges conf.d by name, later ones winning key by key, and tells where each value stands", () => {
    const { config, origins, problems, files, folder } = loadFiles({
      "config.toml": '[agent]\nhardware = true\nlog_level = "warn"\n[report]\nexclude = ["system.serial"]\n',
      "conf.d/10-a.toml": '[agent]\nlog_level = "error"\n[collectors.ups.link]\nhost = "a"\nport = 1\n',
      "conf.d/20-b.toml":
        'report.exclude = ["drives.*"]\n\n[collectors.ups]\nlink.port = 2\nenabled = false\n',
      "conf.d/30.toml.disabled": "broken",
      "conf.d/.40.toml": "broken",
    });
    expect(problems).toEqual([]);
    expect(files).toEqual(
      ["config.toml", "conf.d/10-a.toml", "conf.d/20-b.toml"].map((name) => join(folder, name)),
    );
    expect(config.agent).toMatchObject({ hardware: true, logLevel: "error" });
    expect(config.report.exclude).toEqual(["drives.*"]);
    expect(config.collectors).toEqual({
      ups: { enabled: false, intervalS: null, timeoutS: null, options: { link: { host: "a", port: 2 } } },
    });
    expect(collectorConfig(config, "drives")).toMatchObject({ enabled: true, options: {} });
    expect(collectorConfig(config, "constructor")).toMatchObject({ enabled: true, options: {} });
    expect(origins.get("agent.hardware")).toEqual({ file: join(folder, "config.toml"), line: 2 });
    expect(origins.get("agent.log_level")).toEqual({ file: join(folder, "conf.d/10-a.toml"), line: 2 });
    expect(origins.get("collectors.ups.link.port")).toEqual({
      file: join(folder, "conf.d/20-b.toml"),
      line: 4,
    });
  });

  it("turns nodefoundry on by any of its keys, and off by enabled = false", () => {
    expect(loadFiles({ "config.toml": "[nodefoundry]\n" }).config.control.nodefoundry?.enabled).toBe(false);
    expect(
      loadFiles({ "config.toml": "[nodefoundry]\ninterval_s = 60\n" }).config.control.nodefoundry?.enabled,
    ).toBe(true);
    expect(
      loadFiles({ "config.toml": '[nodefoundry]\nurl = "https://x.example"\nenabled = false\n' }).config
        .control.nodefoundry?.enabled,
    ).toBe(false);
  });

  it("reads the other files though one is broken", () => {
    const { config, problems } = loadFiles({
      "config.toml": "broken",
      "conf.d/a.toml": '[network]\nprofile = "metered"\n',
    });
    expect(problems).toHaveLength(1);
    expect(config.network.profile).toBe("metered");
  });

  it("takes any collector and any option where none are known", () => {
    const { config, problems } = loadFiles(
      {
        "config.toml":
          '[collectors.x]\nhost = "h"\nlist = [1, 2]\ninterval_s = 5\n[report]\nexclude = ["x.y"]\n',
      },
      { collectors: undefined as never },
    );
    expect(problems).toEqual([]);
    expect(config.collectors.x).toEqual({
      enabled: true,
      intervalS: 5,
      timeoutS: null,
      options: { host: "h", list: [1, 2] },
    });
  });

  it("is not led astray by keys that objects inherit", () => {
    const { text, config } = loadFiles(
      {
        "config.toml":
          "[__proto__]\nx = 1\n[agent]\nconstructor = 1\n[collectors.__proto__]\nenabled = false\n[collectors.ups]\n__proto__.y = 1\n",
      },
      { collectors: undefined as never },
    );
    expect(text).toContain("__proto__: unknown section");
    expect(text).toContain("agent.constructor: unknown key");
    expect(text).toContain("collectors.ups.__proto__: expected a name in small letters");
    expect(collectorConfig(config, "drives").enabled).toBe(true);
    expect(({} as Record<string, unknown>).y).toBeUndefined();
  });
});

describe("a configuration file", () => {
  it("must be there when it is named", () => {
    const { text } = loadFiles({});
    expect(text).toContain("config.toml: there is no such file");
  });

  it("may be a link, but no folder and no FIFO", () => {
    const { folder } = loadFiles({ "real.toml": "[agent]\nhardware = true\n", "config.toml/x": "" });
    const open = (name: string) => loadConfig({ file: join(folder, name), uid: 0, env: {} });
    expect(open("config.toml").problems[0]?.message).toBe("expected a regular file");
    execFileSync("mkfifo", [join(folder, "fifo.toml")]);
    expect(open("fifo.toml").problems[0]?.message).toBe("expected a regular file");
    symlinkSync("real.toml", join(folder, "link.toml"));
    expect(open("link.toml").config.agent.hardware).toBe(true);
  });

  it("has at most 256 KiB", () => {
    const filler = (bytes: number): string => `#${"x".repeat(bytes - 2)}\n`;
    expect(loadFiles({ "config.toml": filler(MAX_CONFIG_BYTES) }).problems).toEqual([]);
    expect(loadFiles({ "config.toml": filler(MAX_CONFIG_BYTES + 1) }).text).toContain(
      "expected at most 262144",
    );
  });

  it("must be UTF-8, and may begin with a byte order mark", () => {
    const { folder } = loadFiles({});
    const file = join(folder, "config.toml");
    writeFileSync(file, Buffer.from("[agent]\nname = 'caf\xe9'\n", "latin1"));
    expect(loadConfig({ file, uid: 0, env: {} }).problems[0]?.message).toBe("expected text in UTF-8");
    writeFileSync(file, "\ufeff[agent]\nname = 'café'\n");
    expect(loadConfig({ file, uid: 0, env: {} })).toMatchObject({
      problems: [],
      config: { agent: { name: "café" } },
    });
  });

  it("is a problem when everybody may write it", () => {
    const { folder } = loadFiles({ "config.toml": "" });
    const file = join(folder, "config.toml");
    chmodSync(file, 0o646);
    const [problem] = loadConfig({ file, uid: 0, env: {} }).problems;
    expect(problem?.nextStep).toBe(`chmod o-w ${file}`);
  });
});

describe("effectiveValues", () => {
  it("gives each key once, with its origin or what holds instead", () => {
    const loaded = loadFiles({
      "config.toml":
        '[agent]\nlog_level = "warn"\n[metrics]\nlisten = "0.0.0.0:1"\n[collectors.ups]\nhost = "h"\n',
    });
    const values = effectiveValues(loaded, COLLECTORS);
    const of = (key: string) => values.filter((value) => value.key === key);
    expect(of("agent.log_level")).toMatchObject([{ value: "warn", origin: { line: 2 }, note: null }]);
    expect(of("agent.hardware")).toMatchObject([{ value: false, origin: null }]);
    expect(of("agent.name")).toMatchObject([{ value: null, note: "the hostname" }]);
    expect(of("agent.state_dir")).toMatchObject([
      { value: "/home/ada/.local/state/foundry-agent", origin: null },
    ]);
    expect(of("metrics.listen")).toMatchObject([{ value: null, note: "left off because of a problem" }]);
    expect(of("collectors.ups.host")).toMatchObject([{ value: "h" }]);
    expect(of("collectors.ups.enabled")).toMatchObject([{ value: true, origin: null }]);
    expect(of("collectors.drives.enabled")).toHaveLength(1);
    expect(new Set(values.map(({ key }) => key)).size).toBe(values.length);
  });
});
