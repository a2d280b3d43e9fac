import { expect, it } from "vitest";
import { versionCommand } from "../../../src/cli/daemon/version.ts";
import { runCli } from "../../support/text/io.ts";

it("names what the executable is made of", async () => {
  const { code, stdout } = await runCli([versionCommand], ["version", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    commit: "development",
    arch: process.arch,
    platform: process.platform,
    node: process.versions.node,
    v8: process.versions.v8,
    openssl: process.versions.openssl,
    sqlite: process.versions.sqlite,
  });
});

it.each([["version"], ["--version"], ["-V"]])("%s says it in two lines", async (argument) => {
  const { code, stdout } = await runCli([versionCommand], [argument]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^foundry-agent \d\S* \(commit development, linux \S+\)\nNode \S+, V8 \S+, OpenSSL \S+, SQLite \S+\n$/,
  );
});
