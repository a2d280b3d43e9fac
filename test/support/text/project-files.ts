/** The files of this project as they lie in the checkout; not asked of git, which may not be there or not ours to ask. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Made here, not written: as .gitignore has them. */
const MADE = new Set(["node_modules", "dist", "build", ".git", ".vitest"]);

/** Paths relative to the checkout. @param below folders at its top; all of it without */
export function projectFiles(below?: readonly string[]): string[] {
  const top = readdirSync(ROOT, { withFileTypes: true }).filter(({ name }) => !MADE.has(name));
  return top
    .filter(({ name }) => below === undefined || below.includes(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(`${ROOT}${entry.name}`, { recursive: true, withFileTypes: true })
            .filter((one) => one.isFile())
            .map((one) => `${one.parentPath}/${one.name}`.slice(ROOT.length))
        : [entry.name],
    );
}
