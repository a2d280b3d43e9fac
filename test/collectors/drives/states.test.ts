/** What the kernel's words for a path mean, word by word, and what comes of them for a drive with one or two. */
import { describe, expect, it } from "vitest";
import { driveConditions } from "../../../src/collectors/drives/conditions.ts";
import { drivesCollector } from "../../../src/collectors/drives/drives.ts";
import { stateOf } from "../../../src/collectors/drives/states.ts";
import { collectDrives, driveNamed } from "../../support/drives/drives.ts";
import { jbod } from "../../support/drives/jbod.ts";
import { treeMachine } from "../../support/machine/tree.ts";

describe("a path's word", () => {
  it.each<[string | null, ReturnType<typeof stateOf>, ReturnType<typeof stateOf>]>([
    ["running", "online", "online"],
    ["created", null, "online"],
    ["quiesce", "waiting", "degraded"],
    ["blocked", "waiting", "degraded"],
    ["created-blocked", "waiting", "degraded"],
    ["offline", "offline", "degraded"],
    ["transport-offline", "offline", "degraded"],
    ["cancel", "offline", "degraded"],
    ["deleted", "offline", "degraded"],
    ["live", "online", "online"],
    ["new", "waiting", "degraded"],
    ["resetting", "waiting", "degraded"],
    ["connecting", "waiting", "degraded"],
    ["reconnecting", "waiting", "degraded"],
    ["admin-only", "offline", "degraded"],
    ["deleting", "offline", "degraded"],
    ["deleting (no IO)", "offline", "degraded"],
    ["dead", "offline", "degraded"],
    ["unknown state", null, "online"],
    ["constructor", null, "online"],
    [null, null, "online"],
  ])("%s: alone %s, beside one that works %s", (state, alone, beside) => {
    expect(stateOf([{ state }])).toBe(alone);
    expect(stateOf([{ state }, { state: "running" }])).toBe(beside);
  });

  it("one that is lost and one that waits leave a drive that waits", () => {
    expect(stateOf([{ state: "dead" }, { state: "connecting" }])).toBe("waiting");
    expect(stateOf([])).toBeNull();
  });
});

describe("what is said of it", () => {
  it.each<[string, string, string, RegExp]>([
    ["dead", "drive_not_answering", "error", /given up on the drive nvme0n1 \(dead\)/],
    [
      "connecting",
      "drive_not_answering",
      "warning",
      /takes no requests now \(connecting\); the kernel still/,
    ],
    ["resetting", "drive_not_answering", "warning", /takes no requests now \(resetting\)/],
  ])("an NVMe drive whose only controller is %s", async (state, code, severity, text) => {
    const tree = jbod(1);
    const at = Object.keys(tree.files).find((path) => path.endsWith("/nvme/nvme0/state")) as string;
    tree.files[at] = `${state}\n`;
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(driveConditions(data)).toMatchObject([{ code, severity, text: expect.stringMatching(text) }]);
  });

  it.each<[string, RegExp]>([
    ["transport-offline", /A path to the drive sdc is offline \(sdc running, sdd transport-offline\)/],
    ["blocked", /A path to the drive sdc takes no requests now \(sdc running, sdd blocked\)/],
  ])("a SAS drive one of whose paths is %s", async (state, text) => {
    const tree = jbod(1);
    const [, second] = Object.keys(tree.files).filter((path) => /end_device.*\/state$/.test(path));
    tree.files[second as string] = `${state}\n`;
    const data = await collectDrives(drivesCollector(), treeMachine(tree));
    expect(driveNamed(data, "sdc").state).toBe("degraded");
    expect(driveConditions(data)).toMatchObject([
      { code: "drive_path_offline", text: expect.stringMatching(text) },
    ]);
  });
});
