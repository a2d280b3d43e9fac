/** A bundle of a whole agent: every secret there is in its place, and none of them in the bundle. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testAgent } from "../../support/agent/agent.ts";
import { pointedAt, sandbox } from "../../support/agent/server.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { unpackBundle } from "../../support/text/tar.ts";

function secretFile(text: string): string {
  const file = join(temporaryFolder(), "secret");
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

test("no token, key, credential or bearer of its own, and no name that is excluded", async () => {
  const server = await sandbox();
  const secrets = {
    enrol: server.keys.enrol,
    account: server.keys.live,
    proxy: "proxyuser:CANARYPROXYPASSWORD1",
    bearer: "CANARYMETRICSBEARER1",
  };
  const more = {
    enrol_key_file: secretFile(secrets.enrol),
    key_file: secretFile(secrets.account),
    proxy_credentials_file: secretFile(secrets.proxy),
  };
  const toml = `${pointedAt(server.url, more)}no_proxy = ["127.0.0.1"]
proxy_url = "http://127.0.0.1:9"
[report]
exclude = ["system.hostname"]
[metrics]
bearer_file = "${secretFile(secrets.bearer)}"
`;
  const agent = await testAgent({ toml });
  await agent.view.sync();
  const status = agent.view.status();
  expect(status.nodeId).not.toBeNull();
  const bundle = await agent.view.diagnostics("cmd_1");
  expect(bundle.path).toBe(join(agent.folder, "state", "diagnostics", "cmd_1.tar.gz"));
  expect(existsSync(bundle.path)).toBe(true);
  const files = unpackBundle(readFileSync(bundle.path));
  for (const [name, text] of Object.entries(files)) {
    for (const secret of [...Object.values(secrets), "CANARY", status.hostname])
      expect([name, secret, text.includes(secret)]).toEqual([name, secret, false]);
    expect([name, /nf_(?:nt|en|sk)_(?!\[|live_\[|test_\[)[A-Za-z0-9]{8}/.exec(text)?.[0]]).toEqual([
      name,
      undefined,
    ]);
  }
  expect(files["config.toml"]).toContain(more.key_file);
  expect(JSON.parse(files["status.json"] ?? "").node_id).toBe(status.nodeId);
});
