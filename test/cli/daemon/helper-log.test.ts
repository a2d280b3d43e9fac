import { expect, test } from "vitest";
import { helperLine } from "../../../src/cli/daemon/helper-log.ts";
import { auditText } from "../../../src/helper/carry-out/audit.ts";
import { NOW } from "../../support/now.ts";

const ASKED = {
  request: {
    operation: "smart.read",
    id: null,
    source: null,
    args: { device: "sda" },
    signed: null,
  } as never,
  peer: { pid: 7, uid: 998, gid: 998 },
  outcome: "ok",
  message: null,
  durationMs: 12.4,
};

test("the journal gets the helper's lines as it gets the daemon's: words first, fields after them", () => {
  expect(helperLine(6, auditText(ASKED), "journal", NOW)).toBe(
    "<6>smart.read: done device=sda took_ms=12 uid=998\n",
  );
  const refused = { ...ASKED, outcome: "helper_refused", message: "the policy does not allow it" };
  expect(helperLine(4, auditText(refused), "journal", NOW)).toBe(
    "<4>smart.read: helper_refused: the policy does not allow it device=sda took_ms=12 uid=998\n",
  );
  expect(helperLine(6, auditText({ ...ASKED, request: null, outcome: "bad_request" }), "journal", NOW)).toBe(
    "<6>no request: bad_request took_ms=12 uid=998\n",
  );
});

test("a count of many kinds is a sentence, not a call without a name", () => {
  const counted = {
    audit: null,
    outcome: null,
    message: "and 15 more reads that failed otherwise",
    more: 15,
  };
  expect(helperLine(6, JSON.stringify({ ...counted, peer: { uid: 998 } }), "journal", NOW)).toBe(
    "<6>and 15 more reads that failed otherwise more=15 uid=998\n",
  );
});

test("a terminal gets the time, a pipe JSON, and a sentence is one everywhere", () => {
  expect(helperLine(6, auditText(ASKED), "terminal", NOW)).toMatch(
    /^\d\d:\d\d:\d\d info {2}smart\.read: done /,
  );
  expect(JSON.parse(helperLine(6, auditText(ASKED), "json", NOW))).toMatchObject({
    audit: "smart.read",
    level: 30,
  });
  expect(helperLine(5, "The policy was read.", "journal", NOW)).toBe("<6>The policy was read.\n");
});

test("what a client sent can't look like another line or field", () => {
  const args = { device: "sda\n<0>forged", msg: "forged", level: 60 };
  const line = helperLine(
    6,
    auditText({ ...ASKED, request: { ...(ASKED.request as object), args } as never }),
    "journal",
    NOW,
  );
  expect(line.split("\n").length).toBe(2);
  expect(line).toMatch(/^<6>smart\.read: done /);
});
