/** The SBOM names all that is in the executables, and is the same each time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { nodeParts, SBOM_NAME, sbomText, writeSbom } from "../../scripts/build/sbom.mjs";
import { temporaryFolder } from "../support/machine/tree.ts";

interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string; version: string; properties: unknown[] } };
  components: {
    "bom-ref": string;
    name: string;
    version: string;
    purl: string;
    cpe?: string;
    hashes?: { alg: string; content: string }[];
    licenses: ({ license: { id: string } } | { expression: string })[];
  }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const ROOT = new URL("../../", import.meta.url).pathname;
const text = sbomText({ commit: "0123" });
const bom = JSON.parse(text) as Bom;
const refs = bom.components.map((one) => one["bom-ref"]);

it("is the same bytes again, without time, serial number or path", () => {
  expect(sbomText({ commit: "0123" })).toBe(text);
  expect(bom.serialNumber).toBeUndefined();
  expect(bom.metadata.timestamp).toBeUndefined();
  expect(text).not.toContain(ROOT.replace(/\/$/, ""));
  expect(refs).toEqual([...refs].sort());
});

it("says what was built from which commit", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(bom.metadata.component).toMatchObject({
    name: "foundry-agent",
    version,
    properties: [{ name: "foundry-agent:commit", value: "0123" }],
  });
});

it("names every package that the bundle takes in", async () => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["src/main.ts"],
    outdir: "out",
    bundle: true,
    write: false,
    platform: "node",
    metafile: true,
    logLevel: "silent",
  });
  const used = Object.keys(metafile.inputs).flatMap(
    (path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  const known = new Set(
    bom.components.filter(({ purl }) => purl.startsWith("pkg:npm/")).map(({ name }) => name),
  );
  expect([...new Set(used)].filter((name) => !known.has(name))).toEqual([]);
  expect(used).toContain("pino");
});

it("names nothing that is for development only", () => {
  const names = bom.components.map(({ name }) => name);
  for (const name of ["vitest", "esbuild", "typescript", "undici-types"]) expect(names).not.toContain(name);
});

it("every component has a licence, packages have the lockfile's hash, and references lead somewhere", () => {
  for (const { name, licenses, hashes, purl } of bom.components) {
    expect(licenses.length, name).toBeGreaterThan(0);
    if (purl.startsWith("pkg:npm/")) expect(hashes?.[0]?.content, name).toMatch(/^[0-9a-f]{128}$/);
  }
  const all = new Set([...refs, `foundry-agent@${bom.metadata.component.version}`]);
  for (const { ref, dependsOn } of bom.dependencies) {
    expect(all).toContain(ref);
    for (const target of dependsOn) expect(all).toContain(target);
  }
  expect(new Set(bom.dependencies.map(({ ref }) => ref)).size).toBe(bom.dependencies.length);
});

describe("Node", () => {
  it("comes with its own parts, in the versions of the Node that is pinned", () => {
    for (const [name, key] of Object.entries({
      openssl: "openssl",
      sqlite: "sqlite",
      libuv: "uv",
      v8: "v8",
    } as const))
      expect(refs).toContain(`${name}@${process.versions[key]}`);
    const openssl = bom.components.find(({ name }) => name === "openssl");
    expect(openssl?.cpe).toBe(`cpe:2.3:a:openssl:openssl:${process.versions.openssl}:*:*:*:*:*:*:*`);
  });

  it("with a part that nobody has looked at yet stops the build", () => {
    expect(() => nodeParts({ ...process.versions, quantum: "1.0" })).toThrow(/does not know: quantum/);
  });

  it("is without the parts that are not built in", () => {
    const { parts } = nodeParts({ node: "26.0.0", uv: "1.2.3", nghttp3: "", zlib: "1.3.1-abc" });
    expect(parts.map((part) => part["bom-ref"])).toEqual(["libuv@1.2.3", "zlib@1.3.1-abc"]);
    expect(parts[1]?.cpe).toContain(":zlib:zlib:1.3.1:");
  });
});

it("is written with its line for SHA256SUMS", () => {
  const folder = temporaryFolder();
  const line = writeSbom(folder, "0123");
  expect(line).toMatch(new RegExp(`^[0-9a-f]{64}  ${SBOM_NAME}\n$`));
  expect(readFileSync(join(folder, SBOM_NAME), "utf8")).toBe(text);
});
