/**
 * Rolled forward and back: a version whose state has one table more runs on this version's state, and this
 * version on that one's, with an answer to a command waiting in between. Told once, nothing lost.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { SCHEMA_VERSION } from "../../src/store/file/schema.ts";
import { writeConfig } from "../support/agent/agent.ts";
import { startChild } from "../support/agent/child.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { type Sandbox, startSandbox } from "../support/net/nodefoundry.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const NEXT = SCHEMA_VERSION + 1;

/** The agent as one file, with the words of src/store/file/schema.ts changed. */
async function bundle(folder: string, name: string, change: (schema: string) => string): Promise<string> {
  const outfile = join(folder, `${name}.cjs`);
  await build({
    entryPoints: [MAIN],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    logLevel: "error",
    define: { __FOUNDRY_COMMIT__: '"test"', __FOUNDRY_VERSION__: '"0.0.0"' },
    plugins: [
      {
        name: "schema",
        setup: ({ onLoad }) =>
          onLoad({ filter: /\/store\/file\/schema\.ts$/ }, ({ path }) => ({
            loader: "ts",
            contents: change(readFileSync(path, "utf8")),
          })),
      },
    ],
  });
  return outfile;
}

/** The next version: one table more, which this one may ignore. */
function bumped(schema: string): string {
  const last = "  { compatible: 1, sql: ISSUED_INDEX + USE_TABLE },\n";
  const more = `  { compatible: 1, sql: "CREATE TABLE of_the_next (a TEXT NOT NULL) STRICT" },\n`;
  const changed = schema
    .replace(`SCHEMA_VERSION = ${SCHEMA_VERSION};`, `SCHEMA_VERSION = ${NEXT};`)
    .replace(last, last + more);
  expect(changed.length).toBe(schema.length + more.length);
  return changed;
}

function house(server: Sandbox) {
  const folder = temporaryFolder();
  const key = join(folder, "enrol.key");
  writeFileSync(key, server.keys.enrol, { mode: 0o600 });
  const config = writeConfig(folder, `[nodefoundry]\nurl = "${server.url}"\nenrol_key_file = "${key}"\n`);
  const state = join(folder, "state", "state.db");
  return {
    async once(program: string): Promise<string> {
      const child = startChild(["run", "--once", "--config", config], { program });
      expect(await child.ended).toEqual({ code: 0, signal: null });
      return child.stdout();
    },
    version(): number {
      const db = new DatabaseSync(state, { readOnly: true });
      const row = db.prepare("PRAGMA user_version").get() as { user_version: number };
      db.close();
      return row.user_version;
    },
  };
}

async function askReboot(server: Sandbox): Promise<void> {
  const [node] = server.inspect().nodes;
  const answer = await fetch(`${server.url}/v1/nodes/${node?.id}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.live}`, "content-type": "application/json" },
    body: JSON.stringify({ method: "graceful" }),
  });
  expect(answer.ok).toBe(true);
}

/** The final ones. Without a policy a live command from the network is refused by a gate, soon after the start. */
const answersOf = (server: Sandbox): unknown[] => {
  const { nodes, events } = server.inspect();
  return (events[nodes[0]?.id ?? ""] ?? [])
    .filter(({ type, data }) => type === "command.state" && data.state !== "accepted")
    .map(({ data }) => [data.command_id, data.state]);
};

test("this version, the next, this again, a command's answer waiting each time: one node, one answer a command", async () => {
  const built = temporaryFolder();
  const programs = {
    now: await bundle(built, "now", (schema) => schema),
    next: await bundle(built, "next", bumped),
  };
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const { once, version } = house(server);
  await once(programs.now);
  expect(version()).toBe(SCHEMA_VERSION);
  await askReboot(server);
  expect(await once(programs.now)).toContain("1 command received");
  expect(answersOf(server)).toEqual([]);

  expect(await once(programs.next)).toContain("accepted");
  expect(version()).toBe(NEXT);
  await once(programs.next);
  const [first] = server.inspect().commands;
  expect(answersOf(server)).toEqual([[first?.id, "refused"]]);
  await askReboot(server);
  expect(await once(programs.next)).toContain("1 command received");

  expect(await once(programs.now)).toContain("accepted");
  await once(programs.now);
  const { nodes, commands } = server.inspect();
  expect(nodes).toHaveLength(1);
  expect(answersOf(server)).toEqual(commands.map(({ id }) => [id, "refused"]));
  expect(commands).toHaveLength(2);
  await once(programs.now);
  expect(answersOf(server)).toHaveLength(2);
  expect(version()).toBe(NEXT);
});
