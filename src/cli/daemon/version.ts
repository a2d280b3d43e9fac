/** `foundry-agent version`: what is in this executable, for bug reports and for whoever has to patch it. */
import { COMMIT, VERSION } from "../../model/version.ts";
import { EXIT, printJson } from "../output.ts";
import type { SubCommand } from "../usage.ts";

export interface VersionFacts {
  readonly version: string;
  readonly commit: string;
  readonly arch: string;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  readonly openssl: string;
  readonly sqlite: string;
}

/** Public shape of `version --json`; fields are only ever added. */
function versionFacts(): VersionFacts {
  const { node, v8 = "none", openssl = "none", sqlite = "none" } = process.versions;
  const { arch, platform } = process;
  return { version: VERSION, commit: COMMIT, arch, platform, node, v8, openssl, sqlite };
}

export const versionCommand: SubCommand = {
  name: "version",
  summary: "print the versions of the agent and of what it is built from",
  usage: "[--json]",
  options: { json: { type: "boolean", help: "as JSON" } },
  examples: ["foundry-agent version --json"],
  async run({ values }, io) {
    const facts = versionFacts();
    if (values.json === true) printJson(io, facts);
    else {
      io.stdout(`foundry-agent ${facts.version} (commit ${facts.commit}, ${facts.platform} ${facts.arch})\n`);
      io.stdout(`Node ${facts.node}, V8 ${facts.v8}, OpenSSL ${facts.openssl}, SQLite ${facts.sqlite}\n`);
    }
    return EXIT.ok;
  },
};
