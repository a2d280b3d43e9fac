/** The licences of what the executables contain, in one text beside them: Node itself and the bundled packages. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../paths.mjs";
import { shippedPackages } from "./sbom.mjs";

/** Write the licence texts of all packages that are shipped. */
export function writeLicences(path) {
  const { packages } = JSON.parse(readFileSync(join(ROOT, "node_modules/.package-lock.json"), "utf8"));
  const shipped = shippedPackages();
  const texts = [];
  for (const [folder, { version, license }] of Object.entries(packages)) {
    if (!shipped.has(folder)) continue;
    const file = readdirSync(join(ROOT, folder)).find((name) => /^licen[cs]e/i.test(name));
    const text = file === undefined ? `Licence: ${license}` : readFileSync(join(ROOT, folder, file), "utf8");
    texts.push(`${folder.replace(/^.*node_modules\//, "")} ${version}\n\n${text.trim()}\n`);
  }
  writeFileSync(path, texts.join(`\n${"-".repeat(80)}\n\n`));
}
