/** Tests must prove things about the Node that ships, on machines whose own Node is another. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("runs the tests on the very Node that is pinned", () => {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
  for (const arch of ["x64", "arm64"])
    expect(lock.packages[`node_modules/node-linux-${arch}`].version).toBe(process.versions.node);
});
