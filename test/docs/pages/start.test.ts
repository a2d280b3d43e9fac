/** What `npm start` offers to be typed, typed by an ordinary user: also on a node of Ceph, whose folder is closed to him. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { newcomer } from "../../support/text/pages/newcomer.ts";
import { commandsOf } from "../../support/text/pages/page.ts";

const AS_ROOT = process.getuid?.() === 0;

test.each([false, true])(
  "every line it offers does what it says, with /var/lib/ceph closed: %s",
  async (closedCeph) => {
    if (closedCeph && !AS_ROOT) return;
    const someone = newcomer({ closedCeph });
    const said = someone.background("npm run -s agent -- start");
    await eventually(() => said().includes("Running until Ctrl-C"));
    const [, offered = ""] = /In another terminal:\n((?: {2}.*\n)+)/.exec(said()) ?? [];
    const lines = commandsOf(offered.replace(/^ {2}/gm, ""));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const answer = await someone.type(line);
      expect(answer, line).not.toMatch(/"error":|refused/);
    }
    await eventually(() =>
      /command\.state +reboot cmd_local_\w+ succeeded.*nothing was touched/.test(said()),
    );
    // A machine with Ceph's packages has the folder, closed, as it is.
    expect(/Live it would be refused: Whether this host has Ceph OSDs can't be told/.test(said())).toBe(
      closedCeph || existsSync("/var/lib/ceph"),
    );
    await someone.interrupt();
  },
);
