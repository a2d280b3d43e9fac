/** Size on disk: the executables where `npm run build` has made them, the bundle always. */
import { existsSync, statSync } from "node:fs";
import { BUNDLE, ROOT } from "../../scripts/paths.mjs";
import type { Bench, Part, Row } from "./bench-types.ts";

export const size: Part = {
  name: "size",
  async run(bench: Bench): Promise<Row[]> {
    const show = (path: string): string =>
      existsSync(path) ? `${(statSync(path).size / 1e6).toFixed(1)} MB` : "not built (npm run build)";
    const peer = bench.exporter === null ? "" : show(bench.exporter);
    return [
      { what: "executable, x86-64", ours: show(`${ROOT}/dist/foundry-agent-linux-x64`), peer, target: "" },
      {
        what: "executable, arm64",
        ours: show(`${ROOT}/dist/foundry-agent-linux-arm64`),
        peer: "",
        target: "",
      },
      { what: "  of it the text of our own code and libraries", ours: show(BUNDLE), peer: "", target: "" },
    ];
  },
};
