/** The container build takes no step of its own: what CI builds and proves is what the image holds. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const lines = readFileSync(new URL("../../Dockerfile.arm64", import.meta.url), "utf8")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "" && !line.startsWith("#"));

it("runs the one build script and nothing else", () => {
  const runs = lines.filter((line) => line.startsWith("RUN"));
  expect(runs).toHaveLength(1);
  expect(runs[0]).toMatch(/^RUN node scripts\/build\/build\.mjs( --[a-z-]+(=[\w/.,${}-]+)?)*$/);
});

it("has no other kind of step that could do something", () => {
  const known = ["FROM", "ARG", "WORKDIR", "COPY", "RUN", "ENTRYPOINT", "CMD"];
  expect(lines.filter((line) => !known.includes(line.split(" ")[0] ?? ""))).toEqual([]);
});

it("takes the program from the build stage, as that script lays it out", () => {
  const copies = lines.filter((line) => line.startsWith("COPY --from=build"));
  expect(copies[0]).toBe("COPY --from=build /src/dist/image/ /");
});
