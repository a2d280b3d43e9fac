/**
 * What a new control API costs: a folder (test/fixtures/example-api/control), one for the sandbox, and a line in each
 * of two tables. The program is bundled with those two lines more, and run as its user would.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONTROL_APIS } from "../../src/control/index.ts";
import { type AgentChild, startChild } from "../support/agent/child.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FIXTURE = join(ROOT, "test/fixtures/example-api");

/** The two lines. */
const LINES: Plugin = {
  name: "one line in each table",
  setup({ onLoad }) {
    for (const table of ["control", "sandbox"])
      onLoad({ filter: new RegExp(`/src/${table}/index\\.ts$`) }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        const contents = text.replace(/(_APIS: readonly \w+\[\] = \[[^\]]*)\]/, "$1, acme]");
        expect(contents).not.toBe(text);
        return {
          loader: "ts",
          contents: `import { acme } from ${JSON.stringify(`${FIXTURE}/${table}/declaration.ts`)};\n${contents}`,
        };
      });
  },
};

const built = mkdtempSync(join(tmpdir(), "foundry-test-"));
const program = join(built, "agent.cjs");
const documents = join(built, "documents.cjs");

async function bundle(outfile: string, entry: string): Promise<void> {
  await build({
    stdin: { contents: entry, resolveDir: ROOT, loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    logLevel: "error",
    define: {
      __FOUNDRY_COMMIT__: '"test"',
      __FOUNDRY_VERSION__: '"0.0.0"',
      "import.meta.main": "false",
      "import.meta.url": '"file:///nowhere/"',
    },
    plugins: [LINES],
  });
}

beforeAll(async () => {
  await bundle(program, 'import "./src/main.ts";');
  await bundle(
    documents,
    `import { readFileSync } from "node:fs";
    import { configurationPage } from "./scripts/docs/config-docs.ts";
    import { completionFiles } from "./scripts/docs/completion/files.ts";
    import { policyFile } from "./scripts/docs/policy-file.ts";
    completionFiles().then((completion) => console.log(JSON.stringify({
      page: configurationPage(),
      completion: Object.values(completion),
      policy: policyFile(readFileSync(process.argv[2], "utf8")),
    })));`,
  );
}, 120_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

function start(...args: string[]): AgentChild {
  return startChild(args, { program });
}

/** What a command line prints and ends with. */
async function run(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = start(...args);
  const { code } = await child.ended;
  return { code, text: child.stdout() + child.stderr() };
}

/** A sandbox, and an agent's files that point at its ACME. */
async function house() {
  const sandbox = start("sandbox", "--json");
  const { url, keys } = JSON.parse(await sandbox.said("\n")) as { url: string; keys: Record<string, string> };
  const folder = temporaryFolder();
  const at = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const token = at("token", keys.acme ?? "");
  const policy = at("policy.toml", '[commands]\nremote = "on"\n[allow]\nacme = ["collect"]\n');
  const config = at(
    "config.toml",
    `[agent]\nstate_dir = "${folder}/state"\nrun_dir = "${folder}"\n[network]\nprofile = "normal"
[acme]\nurl = "${url}"\ntoken_file = "${token}"\n[commands]\npolicy_file = "${policy}"\n`,
  );
  return { folder, url, config, token, keys, at };
}

test("its section of the configuration is checked and shown, its documents are made", async () => {
  const { config, at, url } = await house();
  expect((await run("config", "check", "--config", config)).text).toContain("ok: ");
  expect((await run("config", "show", "--config", config)).text).toMatch(/acme\.enabled\s+true/);
  const bad = at("bad.toml", `[acme]\nurl = "${url}"\ntoken_fil = "/x"\ncert_file = "/y"\n`);
  const { code, text } = await run("config", "check", "--config", bad);
  expect(code).toBe(1);
  expect(text).toContain('acme.token_fil: unknown key, did you mean "token_file"?');
  expect(text).toContain("acme.cert_file: cert_file needs key_pem_file, expected both or none.");
  expect(text).toContain("acme.token_file: ACME needs url and token_file.");

  const shipped = join(ROOT, "packaging/policy.toml");
  const made = JSON.parse(execFileSync(process.execPath, [documents, shipped], { encoding: "utf8" }));
  expect(made.page).toContain("## [acme]\n\nThe ACME register.\n");
  expect(made.policy).toContain('# acme: the ACME control API.\nacme = ["collect"]\n');
  for (const text of made.completion)
    expect(text).toContain(`${CONTROL_APIS.map(({ name }) => name).join(" ")} acme`);
});

test("the agent reports there, does what it is asked, and is asked by name", async () => {
  const { folder, url, config, keys } = await house();
  const daemon = start("run", "--config", config);
  await daemon.said("ready");
  const ask = async (...args: string[]) => await run(...args, "--socket", folder);

  expect((await ask("status")).text).toMatch(/^ *acme\b/m);
  expect((await ask("sync", "acme")).code).toBe(0);
  const machines = (await (await fetch(`${url}/acme/machines`)).json()) as Record<
    string,
    { sections: string[] }
  >;
  expect(Object.values(machines)[0]?.sections).toContain("system");
  const done = async (): Promise<boolean> => /collect\b.*succeeded/.test((await ask("commands")).text);
  await eventually(done);
  expect((await ask("commands")).text).toContain("acme");

  expect((await ask("check", "acme")).text).toContain("ACME answers (200)");
  expect((await ask("report", "--as", "acme")).text).toContain('"sections":[');
  for (const line of [["enroll"], ["enroll", "acme"], ["enroll", "--api", "acme"]]) {
    const { code, text } = await ask(...line);
    expect([code, text]).toEqual([1, expect.stringContaining("ACME takes no key that is used once")]);
  }
  const given = await ask("enroll", keys.acme ?? "");
  expect(given).toEqual({ code: 2, text: expect.not.stringContaining(keys.acme ?? "") });
  expect((await ask("leave", "acme", "--yes")).code).toBe(0);
});

test("beside another one: each is named, and a key goes to nobody but its own server", async () => {
  const { folder, url, config, token, keys, at } = await house();
  const text = readFileSync(config, "utf8");
  const daemon = start("run", "--config", at("two.toml", `${text}[nodefoundry]\nurl = "${url}"\n`));
  await daemon.said("ready");
  const ask = async (...args: string[]) => await run(...args, "--socket", folder);

  const wrong = await ask("enroll", "nodefoundry", "--key-file", token);
  expect(wrong.code).toBe(1);
  expect(wrong.text).toContain("this is a key of ACME, so it is not sent to NodeFoundry");
  // The only one that takes such a key needs no name.
  expect(await ask("enroll", "--key-file", at("key", keys.test ?? ""))).toMatchObject({ code: 0 });
  await ask("sync");
  const shown = await ask("status");
  expect(shown.text).toMatch(/node node_\w+ at nodefoundry, \w+ at acme \(test: hardware is never touched\)/);
});

test("what its tokens look like is hidden by everything that prints or logs", async () => {
  const { keys, at } = await house();
  const config = at("secret.toml", `[acme]\ntoken_file = "${keys.acme}"\n`);
  for (const line of [
    ["config", "check", "--config", config],
    ["run", "--config", config],
    ["helper", "--socket", `/nowhere/${keys.acme}`],
  ]) {
    const { code, text } = await run(...line);
    expect([line[0], code === 0, text.includes(keys.acme ?? "")]).toEqual([line[0], false, false]);
  }
});

test("nothing but its folders and the two tables names a control API", () => {
  const own = CONTROL_APIS.flatMap(({ name }) => [`src/control/${name}/`, `src/sandbox/${name}/`]);
  const tables = ["src/control/index.ts", "src/sandbox/index.ts"];
  const files = ["src", "scripts"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name}`)
      .filter((name) => /\.\w+$/.test(name)),
  );
  expect(files.length).toBeGreaterThan(400);
  const names = new RegExp(CONTROL_APIS.flatMap(({ name, tokens }) => [name, ...tokens]).join("|"), "i");
  const naming = files
    .filter((name) => !own.some((folder) => name.startsWith(folder)) && !tables.includes(name))
    .filter((name) => names.test(readFileSync(join(ROOT, name), "utf8")));
  expect(naming).toEqual([]);
  // An import with its folder, and a place in the list.
  for (const table of tables)
    for (const { name } of CONTROL_APIS)
      expect([table, name, readFileSync(join(ROOT, table), "utf8").split(name).length - 1]).toEqual([
        table,
        name,
        3,
      ]);
});
