/**
 * `npm run package`: the executables as Debian packages and as archives for hosts without dpkg, in dist/.
 *
 *   node scripts/package/package.mjs [--arch=x64,arm64] [--form=deb,tar] [--quick] [--out=FOLDER]
 *
 * Builds the executables where dist/ has none (scripts/build/build.mjs). Two runs of one commit give the same bytes:
 * every time in a package is that commit's, or SOURCE_DATE_EPOCH. --quick compresses little, for the lab.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { NODE, ROOT } from "../paths.mjs";
import { buildDeb } from "./deb.mjs";
import { buildArchive } from "./tar.mjs";

const FORMS = { deb: buildDeb, tar: buildArchive };
const ARCHITECTURES = ["x64", "arm64"];

/** Seconds since 1970 that every file of a package gets: SOURCE_DATE_EPOCH, else the last commit's. */
function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  return Number(execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, encoding: "utf8" }));
}

/** The agent's own version; that of the Debian package has `-1` behind it. */
export function agentVersion() {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
}

/**
 * Make one package.
 * @param options.form "deb" or "tar"; `out` is the folder it goes to; `version` another than package.json's;
 * `quick` compresses little
 * @returns path of the package
 */
export function makePackage({ form, arch, out, version = agentVersion(), quick = false }) {
  const executable = join(ROOT, `dist/foundry-agent-linux-${arch}`);
  if (!existsSync(executable))
    execFileSync(NODE, [join(ROOT, "scripts/build/build.mjs"), `--arch=${arch}`], { stdio: "inherit" });
  mkdirSync(out, { recursive: true });
  // Named by form, architecture and process: several can be made at once.
  const work = join(ROOT, `build/package/${form}-${arch}-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  try {
    return FORMS[form]({ arch, executable, version, date: sourceDate(), work, out, level: quick ? 0 : 6 });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** SHA256SUMS of everything in the folder that is handed out. */
function writeSums(folder) {
  const files = readdirSync(folder).filter((name) => /^foundry-agent[-_]/.test(name));
  const sums = files.sort().map((name) => {
    const sum = createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
    return `${sum}  ${name}\n`;
  });
  writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

function main() {
  const { values } = parseArgs({
    options: {
      arch: { type: "string", default: ARCHITECTURES.join() },
      form: { type: "string", default: Object.keys(FORMS).join() },
      out: { type: "string", default: join(ROOT, "dist") },
      quick: { type: "boolean", default: false },
    },
  });
  for (const arch of values.arch.split(",")) {
    if (!ARCHITECTURES.includes(arch))
      throw new Error(`--arch=${arch}: there is ${ARCHITECTURES.join(" and ")}`);
    for (const form of values.form.split(",")) {
      if (FORMS[form] === undefined)
        throw new Error(`--form=${form}: there is ${Object.keys(FORMS).join(" and ")}`);
      const from = performance.now();
      // Minutes of compressing, in which nothing else would be seen.
      console.log(
        `${form} for ${arch}: ${existsSync(join(ROOT, `dist/foundry-agent-linux-${arch}`)) ? "packing" : "building the executable, then packing"} …`,
      );
      const made = makePackage({ form, arch, out: values.out, quick: values.quick });
      const megabytes = (statSync(made).size / 1e6).toFixed(1);
      console.log(`${basename(made)}  ${megabytes} MB  ${((performance.now() - from) / 1000).toFixed(1)} s`);
    }
  }
  writeSums(values.out);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
