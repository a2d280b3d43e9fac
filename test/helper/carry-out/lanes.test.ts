import { expect, it } from "vitest";
import { openLanes, type Turn } from "../../../src/helper/carry-out/lanes.ts";
import { AgentError, errorCode } from "../../../src/model/errors.ts";

const never = new AbortController().signal;
const drive = (name: string) => [
  { name: `drive ${name}`, limit: 1 },
  { name: "smart", limit: 4 },
];
/** Whether a promise has settled, after everything that can happen now has happened. */
async function state(promise: Promise<unknown>): Promise<string> {
  const settled = promise.then(
    () => "in",
    (error: unknown) => errorCode(error),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return await Promise.race([settled, new Promise<string>((resolve) => setImmediate(resolve, "waits"))]);
}

it("four at once, one a drive; who is done lets the next in, past those that still can't", async () => {
  const lanes = openLanes(100);
  const turns: Turn[] = [];
  for (const name of ["sda", "sdb", "sdc"]) turns.push(await lanes.enter(drive(name), never));
  const again = lanes.enter(drive("sda"), never);
  turns.push(await lanes.enter(drive("sdd"), never));
  const fifth = lanes.enter(drive("sde"), never);
  expect([await state(again), await state(fifth)]).toEqual(["waits", "waits"]);
  turns[1]?.release();
  turns[1]?.release(); // twice is once
  expect([await state(again), await state(fifth)]).toEqual(["waits", "in"]);
  turns[0]?.release();
  expect(await state(again)).toBe("in");
  const sixth = lanes.enter(drive("sdf"), never);
  expect(await state(sixth)).toBe("waits");
  for (const turn of [turns[2], turns[3], await again, await fifth]) turn?.release();
  (await sixth).release();
  expect(lanes.busy()).toBe(false);
});

it("106 drives: never more than four at a time, and all get their turn", async () => {
  const lanes = openLanes(128);
  let [now, most, done] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 106 }, async (_, i) => {
      const turn = await lanes.enter(drive(`sd${i}`), never);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      done++;
      turn.release();
    }),
  );
  expect([most, done, lanes.busy()]).toEqual([4, 106, false]);
});

it("too many waiting are sent away; who gives up makes room", async () => {
  const lanes = openLanes(2);
  const one = [{ name: "bmc", limit: 1 }];
  const first = await lanes.enter(one, never);
  const [second, third] = [new AbortController(), lanes.enter(one, never)];
  const waiting = lanes.enter(one, second.signal);
  expect(await state(lanes.enter(one, never))).toBe("helper_busy");
  second.abort(new AgentError("helper_timeout", "late"));
  expect(await state(waiting)).toBe("helper_timeout");
  expect(await state(lanes.enter(one, second.signal))).toBe("helper_timeout");
  first.release();
  expect(await state(third)).toBe("in");
  const fourth = lanes.enter(one, never);
  (await third).release();
  (await fourth).release();
  expect(lanes.busy()).toBe(false);
});

it("what can't be ended keeps its drive, not the others', until it is gone; asking meanwhile is answered at once", async () => {
  const lanes = openLanes(10);
  const gone = Promise.withResolvers<void>();
  const sick = await lanes.enter(drive("sda"), never);
  const waiting = lanes.enter(drive("sda"), never);
  expect(await state(waiting)).toBe("waits");
  sick.hold(gone.promise);
  expect(await state(waiting)).toBe("drive_hangs");
  sick.release();
  expect(await state(lanes.enter(drive("sda"), never))).toBe("drive_hangs");
  const others = await Promise.all(
    ["sdb", "sdc", "sdd", "sde"].map((name) => lanes.enter(drive(name), never)),
  );
  for (const turn of others) turn.release();
  expect(lanes.busy()).toBe(true);
  gone.resolve();
  await state(gone.promise);
  expect(lanes.busy()).toBe(false);
  (await lanes.enter(drive("sda"), never)).release();
});
