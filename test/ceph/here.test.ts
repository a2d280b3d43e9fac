/** Whether OSDs are here, by two who see differently much. */
import { expect, it } from "vitest";
import { type OsdsHere, together } from "../../src/ceph/here.ts";

const NO: OsdsHere = { is: "no" };
const CLOSED: OsdsHere = { is: "unknown", why: "/var/lib/ceph is closed to this user" };
const ROOK: OsdsHere = { is: "unknown", why: "Rook keeps data in /var/lib/rook" };
const SOME: OsdsHere = { is: "yes", ids: [3, 0] };

it.each([
  [CLOSED, null, CLOSED],
  [CLOSED, NO, NO],
  [CLOSED, ROOK, ROOK],
  [CLOSED, { is: "yes" }, { is: "yes" }],
  [CLOSED, SOME, { is: "yes", ids: [0, 3] }],
  [SOME, NO, { is: "yes", ids: [0, 3] }],
  [SOME, { is: "yes", ids: [3, 7] }, { is: "yes", ids: [0, 3, 7] }],
  [{ is: "yes" }, ROOK, { is: "yes" }],
  [NO, NO, NO],
  [NO, ROOK, ROOK],
] as [OsdsHere, OsdsHere | null, OsdsHere][])("%j to us and %j to root is %j", (own, root, both) => {
  expect(together(own, root)).toEqual(both);
});
