/**
 * What the executables are made of, as CycloneDX 1.5: the packages of package-lock.json that are bundled, Node, and
 * what Node itself is made of, so that whoever reads of a hole in OpenSSL or SQLite knows whether it is in here.
 *
 *   node scripts/build/sbom.mjs [--commit=ID]    prints it; scripts/build/build.mjs writes it beside the executables
 *
 * The same checkout gives the same bytes: no time, no random serial number, nothing of the machine or its npm.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runNpm } from "../npm.mjs";
import { NODE, ROOT } from "../paths.mjs";
import { commitOf } from "./bundle.mjs";

/** Name of the file in dist/. */
export const SBOM_NAME = "foundry-agent-sbom.cdx.json";

/** Entries of process.versions that are no software: numbers of interfaces. */
const NO_PARTS = ["node", "modules", "napi"];

/**
 * What the other entries are: name, licence (SPDX; as in Node's LICENSE or the part's own), and vendor:product in
 * the CPE dictionary where vulnerabilities are filed under one.
 */
const PARTS = {
  acorn: ["acorn", "MIT"],
  ada: ["ada", "Apache-2.0 OR MIT"],
  amaro: ["amaro", "MIT AND Apache-2.0"],
  ares: ["c-ares", "MIT", "c-ares:c-ares"],
  brotli: ["brotli", "MIT", "google:brotli"],
  cldr: ["cldr", "Unicode-3.0"],
  icu: ["icu", "Unicode-3.0", "icu-project:international_components_for_unicode"],
  libffi: ["libffi", "MIT"],
  lief: ["lief", "Apache-2.0"],
  llhttp: ["llhttp", "MIT", "llhttp:llhttp"],
  merve: ["merve", "MIT"],
  nbytes: ["nbytes", "MIT"],
  ncrypto: ["ncrypto", "MIT"],
  nghttp2: ["nghttp2", "MIT", "nghttp2:nghttp2"],
  nghttp3: ["nghttp3", "MIT"],
  ngtcp2: ["ngtcp2", "MIT"],
  openssl: ["openssl", "Apache-2.0", "openssl:openssl"],
  simdjson: ["simdjson", "Apache-2.0 OR MIT"],
  simdutf: ["simdutf", "Apache-2.0 OR MIT"],
  sqlite: ["sqlite", "blessing", "sqlite:sqlite"],
  tz: ["tzdata", "LicenseRef-public-domain"],
  undici: ["undici", "MIT", "nodejs:undici"],
  unicode: ["unicode-character-database", "Unicode-3.0"],
  uv: ["libuv", "MIT", "libuv:libuv"],
  uvwasi: ["uvwasi", "MIT"],
  v8: ["v8", "BSD-3-Clause", "google:v8"],
  zlib: ["zlib", "Zlib", "zlib:zlib"],
  zstd: ["zstd", "BSD-3-Clause", "facebook:zstandard"],
};

/**
 * Components of a Node, from its process.versions.
 * @throws Error for a part that the table above does not know yet
 */
export function nodeParts(versions) {
  const unknown = Object.keys(versions).filter(
    (key) => !NO_PARTS.includes(key) && !Object.hasOwn(PARTS, key),
  );
  if (unknown.length > 0)
    throw new Error(`this Node has parts that scripts/build/sbom.mjs does not know: ${unknown.join(", ")}`);
  const parts = Object.entries(PARTS)
    // One that is not built in has an empty version.
    .filter(([key]) => versions[key])
    .map(([key, [name, licence, product]]) => generic("library", name, versions[key], licence, product));
  const node = generic("platform", "node", versions.node, "MIT", "nodejs:node.js");
  return { node, parts: parts.sort(byRef) };
}

function generic(type, name, version, licence, product) {
  const purl = `pkg:generic/${name}@${encodeURIComponent(version)}`;
  // What stands behind a dash is Node's own or a fork's count; the dictionary has none of it.
  const cpe = product && `cpe:2.3:a:${product}:${version.replace(/-.*$/, "")}:*:*:*:*:*:*:*`;
  return {
    "bom-ref": `${name}@${version}`,
    type,
    name,
    version,
    licenses: [{ expression: licence }],
    ...(cpe ? { cpe } : {}),
    purl,
  };
}

/**
 * The bundled packages and both pinned nodes, as npm knows them from the lockfile; asks no registry. npm's own
 * --omit=dev would leave out what a package for development shares with the program (valibot, as its peer).
 */
function fromLockfile() {
  const args = ["sbom", "--package-lock-only", "--offline", "--sbom-format=cyclonedx"];
  const { ok, output } = runNpm(ROOT, args);
  if (!ok) throw new Error(`npm sbom failed: ${output}`);
  const { metadata, components, dependencies } = JSON.parse(output.slice(output.indexOf("{")));
  const shipped = new Set(shippedPackages().values());
  return {
    metadata,
    components: components.filter((one) => shipped.has(one["bom-ref"])),
    dependencies: dependencies
      .filter(({ ref }) => shipped.has(ref) || ref === metadata.component["bom-ref"])
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => shipped.has(one)) })),
  };
}

/** What package.json depends on and what that depends on: folder → `name@version`. */
export function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const found = new Map();
  const follow = (folder) => {
    const { dependencies, optionalDependencies } = packages[folder];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = [`${folder}/node_modules/${name}`, `node_modules/${name}`].find((one) => packages[one]);
      if (place === undefined || found.has(place)) continue;
      found.set(place, `${name}@${packages[place].version}`);
      follow(place);
    }
  };
  follow("");
  return found;
}

function byRef(a, b) {
  const [left, right] = [a["bom-ref"] ?? a.ref, b["bom-ref"] ?? b.ref];
  return left < right ? -1 : Number(left > right);
}

/** The whole document as text. @param commit what was built */
export function sbomText({ commit = commitOf() } = {}) {
  const found = fromLockfile();
  const versions = JSON.parse(
    execFileSync(NODE, ["-p", "JSON.stringify(process.versions)"], { encoding: "utf8" }),
  );
  const { node, parts } = nodeParts(versions);
  const { name, version, description, license } = JSON.parse(
    readFileSync(join(ROOT, "package.json"), "utf8"),
  );
  const root = {
    // Not npm's words for it: they depend on the folder's name, and the package is not on a registry.
    ...generic("application", name, version, license),
    description,
    properties: [{ name: "foundry-agent:commit", value: commit }],
  };
  const rootOf = found.metadata.component["bom-ref"];
  const packages = found.components.map((one) => ({
    "bom-ref": one["bom-ref"],
    type: one.type,
    name: one.name,
    version: one.version,
    ...(one.hashes ? { hashes: one.hashes } : {}),
    licenses: one.licenses,
    purl: one.purl,
  }));
  const dependencies = found.dependencies.map(({ ref, dependsOn }) => ({
    ref: ref === rootOf ? root["bom-ref"] : ref,
    dependsOn: [...dependsOn, ...(ref.startsWith("node-linux-") ? [node["bom-ref"]] : [])].sort(),
  }));
  dependencies.push({ ref: node["bom-ref"], dependsOn: parts.map((part) => part["bom-ref"]).sort() });
  dependencies.push(...parts.map((part) => ({ ref: part["bom-ref"], dependsOn: [] })));
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { lifecycles: [{ phase: "build" }], component: root },
    components: [...packages, node, ...parts].sort(byRef),
    dependencies: dependencies.sort(byRef),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Write it into a folder. @returns its line for SHA256SUMS, with a line break */
export function writeSbom(folder, commit) {
  const text = sbomText({ commit });
  writeFileSync(join(folder, SBOM_NAME), text);
  return `${createHash("sha256").update(text).digest("hex")}  ${SBOM_NAME}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { commit: { type: "string" } } });
  process.stdout.write(sbomText(values));
}
