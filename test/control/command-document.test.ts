import { expect, it } from "vitest";
import { parseCommands } from "../../src/control/command-document.ts";
import { plainCommand } from "../support/helper/signing.ts";

const HERE = { nodeId: "node_a", mode: "live", source: "nodefoundry" } as const;

/** So many lists in each other. */
function nested(depth: number): unknown {
  return JSON.parse("[".repeat(depth) + "]".repeat(depth));
}

it.each([
  ["params", { params: { sections: nested(60_000) } }, ["deep"]],
  ["a field that nobody knows, under a signature", { more: nested(60_000), signature: "x" }, ["deep"]],
  ["its own name", { id: nested(60_000) }, []],
])(
  "a command nested without end in %s is answered as malformed and hides no other",
  (_what, more, answered) => {
    const { commands, rejected, foreign, nameless } = parseCommands(
      [
        plainCommand({ id: "deep", ...more }),
        plainCommand({ id: "good" }),
        plainCommand({ id: "x", node_id: "b", more: nested(99) }),
      ],
      HERE,
    );
    expect(commands.map(({ id }) => id)).toEqual(["good"]);
    expect(rejected.map(({ id }) => id)).toEqual(answered);
    for (const { message } of rejected) expect(message).toBe("nested deeper than 16");
    expect(foreign).toEqual(["x"]);
    expect(nameless).toBe(answered.length === 0 ? 1 : 0);
  },
);
