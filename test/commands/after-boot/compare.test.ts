/** What counts as worse after a boot, kind by kind, and the words for it. */
import { expect, test } from "vitest";
import { compare, isAllBack, noted, stillGone, tally } from "../../../src/commands/after-boot/compare.ts";
import {
  type Item,
  KINDS,
  type Picture,
  pictureOf,
  STANDINGS,
} from "../../../src/commands/after-boot/picture.ts";
import { conditionText, goneText, resultOf, verdictText } from "../../../src/commands/after-boot/words.ts";

const item = (kind: Item["kind"], id: string, is: string, said?: string): Item => ({
  ...{ kind, id, name: id, is },
  ...(said === undefined ? {} : { said }),
});
const picture = (...items: Item[]): Picture => pictureOf(KINDS, items, true);

test.each([
  ["mount", "/srv/data", "writable", null, "mount /srv/data is gone"],
  ["mount", "/srv/data", "writable", "read-only", "mount /srv/data is read-only"],
  ["mount", "/srv/data", "read-only", null, "mount /srv/data is gone"],
  ["link", "eth1", "carrier", "no carrier", "link eth1 has no carrier"],
  ["link", "eth1", "carrier", null, "link eth1 is gone"],
  ["route", "IPv4", "there", null, "the default route of IPv4 is gone"],
  ["drive", "sda", "there", null, "drive sda is gone"],
  ["drive", "sda", "there", "not answering", "drive sda does not answer"],
  ["smart", "sda", "ok", "fail", "SMART of drive sda says fail"],
  ["clock", "clock", "synchronised", "not synchronised", "the clock is not synchronised"],
  ["api", "nodefoundry", "reached", "not reached", "nodefoundry is not reached"],
  ["section", "bmc", "collected", "not collected", "section bmc is not collected: no driver"],
  ["check", "port-443", "works", "fails", "check port-443 fails: no driver"],
] as const)("%s %s: %s, then %s", (kind, id, was, is, text) => {
  const said = kind === "section" || kind === "check" ? "no driver" : undefined;
  const after = is === null ? picture() : picture(item(kind, id, is, said));
  const found = compare(picture(item(kind, id, was)), after);
  expect(found.regressed).toMatchObject([{ kind, name: id, was, is: is ?? "gone" }]);
  expect(goneText(found.regressed)).toBe(text);
  expect(isAllBack(found)).toBe(false);
});

test("a unit that fails now and did not before; one that failed before is no news", () => {
  const before = picture(item("unit", "old.service", "failed"));
  const after = picture(item("unit", "old.service", "failed"), item("unit", "nginx.service", "failed"));
  const found = compare(before, after);
  expect(goneText(found.regressed)).toBe("unit nginx.service has failed");
  expect(found.regressed).toMatchObject([{ was: "not failed", is: "failed" }]);
  expect(compare(after, before).regressed).toEqual([]);
});

test("what did not work before the reboot is not missed after it", () => {
  const before = noted(
    picture(
      item("check", "a", "fails", "was so before"),
      item("link", "eth1", "no carrier"),
      item("clock", "clock", "unknown"),
      item("api", "nodefoundry", "not reached"),
      item("drive", "sdb", "not answering"),
      item("smart", "sda", "fail"),
      item("smart", "sdc", "warn"),
      item("unit", "old.service", "failed"),
      item("mount", "/ro", "read-only"),
    ),
  );
  expect(before.items.map(({ kind }) => kind)).toEqual(["smart", "unit", "mount"]);
  expect(compare(before, picture(item("smart", "sdc", "warn"), item("mount", "/ro", "read-only")))).toEqual({
    regressed: [],
    unseen: [],
    settled: true,
  });
});

test("better than before is fine, new things too, and what is as it was", () => {
  const before = picture(
    item("smart", "sda", "warn"),
    item("mount", "/a", "read-only"),
    item("drive", "d", "there"),
  );
  const after = picture(
    item("smart", "sda", "ok"),
    item("mount", "/a", "writable"),
    item("drive", "d", "there"),
    item("drive", "new", "not answering"),
  );
  expect(isAllBack(compare(before, after))).toBe(true);
});

test("what nobody can say is no verdict, and is waited for", () => {
  const before = picture(item("smart", "sda", "ok"), item("api", "nodefoundry", "reached"));
  const after = pictureOf(
    KINDS.filter((kind) => kind !== "unit"),
    [item("smart", "sda", "unknown"), item("api", "nodefoundry", "unknown")],
    true,
  );
  const found = compare(before, after);
  expect(found).toEqual({
    regressed: [],
    unseen: ["units of systemd", "smart sda", "control API nodefoundry"],
    settled: true,
  });
  expect(isAllBack(found)).toBe(false);
  expect(verdictText(found)).toBe(
    "Done. Nobody could say anything of units of systemd, smart sda and control API nodefoundry.",
  );
});

test("a system that still starts may still fail: all there is not yet all", () => {
  expect(isAllBack(compare(picture(), { ...picture(), settled: false }))).toBe(false);
});

test("a kind that was not seen before is not compared", () => {
  const before = pictureOf(["mount"], [], true);
  expect(compare(before, picture(item("unit", "x.service", "failed"))).regressed).toEqual([]);
  expect(tally(before, picture()).map(({ kind }) => kind)).toEqual(["mount"]);
});

test("sentences name the first five and count the rest; the result holds no more than an event can", () => {
  const many = Array.from({ length: 70 }, (_, index) => item("check", `check-${index}`, "works"));
  const bad = many.map(({ id }) => item("check", id, "fails", "x".repeat(500)));
  const found = compare(picture(...many), picture(...bad));
  expect(verdictText(found)).toMatch(/^Done, but check check-0 fails: x{200}, .* and 65 more\.$/);
  const result = resultOf(found) as { regressed: { text: string }[]; regressed_more: number };
  expect(JSON.stringify(result).length).toBeLessThan(6_000);
  expect(result.regressed.length + result.regressed_more).toBe(70);
  expect(result.regressed.length).toBeGreaterThan(5);
});

test("result: kind, name, was, is and the sentence; empty when all is back", () => {
  const found = compare(picture(item("mount", "/srv/data", "writable")), picture());
  expect(resultOf(found)).toEqual({
    regressed: [
      { kind: "mount", name: "/srv/data", was: "writable", is: "gone", text: "mount /srv/data is gone" },
    ],
  });
  expect(verdictText(found)).toBe("Done, but mount /srv/data is gone.");
  expect(conditionText("cmd_1", found.regressed)).toBe("Since the reboot cmd_1, mount /srv/data is gone.");
  expect(resultOf(compare(picture(), picture()))).toEqual({ regressed: [] });
});

test("what comes back later is crossed off; what can't be seen is not", () => {
  const before = picture(item("mount", "/a", "writable"), item("link", "eth1", "carrier"));
  const { regressed } = compare(before, picture(item("unit", "x.service", "failed")));
  expect(regressed.map(({ name }) => name)).toEqual(["x.service", "/a", "eth1"]);
  const later = picture(item("mount", "/a", "writable"));
  expect(stillGone(regressed, later).map(({ name }) => name)).toEqual(["eth1"]);
  const blind = pictureOf(["mount"], [item("mount", "/a", "writable")], true);
  expect(stillGone(regressed, blind).map(({ name }) => name)).toEqual(["x.service", "eth1"]);
});

test("counts for people: those before, those of them that are as good now", () => {
  const before = picture(item("mount", "/a", "writable"), item("mount", "/b", "writable"));
  const after = picture(item("mount", "/a", "writable"), item("unit", "x.service", "failed"));
  const rows = tally(before, after).filter(({ kind }) => kind === "mount" || kind === "unit");
  expect(rows).toMatchObject([
    { kind: "unit", before: 0, after: 1, regressed: [{ text: "unit x.service has failed" }] },
    { kind: "mount", before: 2, after: 1, regressed: [{ text: "mount /b is gone" }] },
  ]);
  expect(tally(before, null)[0]).toMatchObject({ after: null, regressed: [] });
});

test("the last standing of each kind is what is not there", () => {
  for (const kind of KINDS) {
    if (kind === "unit") continue;
    const found = compare(picture(item(kind, "x", STANDINGS[kind][0])), picture());
    expect(found.regressed).toMatchObject([{ kind, is: STANDINGS[kind].at(-1) }]);
  }
});

test("a host that lists thousands fills no journal", () => {
  const many = Array.from({ length: 5_000 }, (_, index) =>
    item("drive", `${"x".repeat(500)}${index}`, "there"),
  );
  const small = pictureOf(KINDS, many, true);
  expect(small.items).toHaveLength(300);
  expect(JSON.stringify(small).length).toBeLessThan(110_000);
});
