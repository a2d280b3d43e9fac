/** The file of what is known of drives: written to the disk, damaged, huge, no file at all, on a disk that takes nothing. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorCode } from "../../../src/model/errors.ts";
import { ACK_FILE, openAckFile } from "../../../src/store/file/ack-file.ts";
import { forAll } from "../../support/for-all.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const ACK = {
  drive: "WD-1234",
  by: "root",
  at: "2026-12-01T00:00:00.000Z",
  note: "old scars, \u0000 and \u202e",
  reasons: [{ code: "pending_sectors", attribute: null, value: 8 }],
};

function place(): { folder: string; path: string } {
  const folder = temporaryFolder();
  return { folder, path: join(folder, ACK_FILE) };
}

it("comes back as it was written, also in another folder", () => {
  const { folder, path } = place();
  expect(openAckFile(folder).read()).toEqual({ acks: [], problem: null });
  openAckFile(folder).write([ACK]);
  expect(openAckFile(folder).read()).toEqual({ acks: [ACK], problem: null });
  const other = place();
  writeFileSync(other.path, readFileSync(path));
  expect(openAckFile(other.folder).read().acks).toEqual([ACK]);
});

describe("a file that can't be used", () => {
  it.each([
    ["broken", (path: string) => writeFileSync(path, '{"drives": ['), "does not say what is accepted"],
    ["something else", (path: string) => writeFileSync(path, "[]"), "does not say what is accepted"],
    [
      "no text",
      (path: string) => writeFileSync(path, Buffer.from([0xff, 0xfe])),
      "does not say what is accepted",
    ],
    ["huge", (path: string) => writeFileSync(path, "x".repeat(3_000_000)), "has more than 2097152 bytes"],
    ["a folder", (path: string) => mkdirSync(path), "can't be read (EISDIR)"],
    ["a link", (path: string) => symlinkSync("/etc/passwd", path), "can't be read (ELOOP)"],
  ])("%s: nothing is accepted, and it is said", (_name, put, said) => {
    const { folder, path } = place();
    put(path);
    const file = openAckFile(folder);
    expect(file.read()).toEqual({ acks: [], problem: `${path} ${said}` });
    file.write([ACK]);
    expect(openAckFile(folder).read()).toEqual({ acks: [ACK], problem: null });
    expect(existsSync(`${path}.damaged`)).toBe(true);
  });

  it("a damaged entry costs only itself", () => {
    const { folder, path } = place();
    writeFileSync(
      path,
      JSON.stringify({ drives: [ACK, { drive: "" }, { ...ACK, note: "x".repeat(2_000) }] }),
    );
    const { acks, problem } = openAckFile(folder).read();
    expect(acks).toEqual([ACK]);
    expect(problem).toBe(`${path} has entries that can't be read (2 of 3)`);
  });

  it("whatever stands in it ends in acks or a sentence", () => {
    const { folder, path } = place();
    const good = JSON.stringify({ drives: [ACK, ACK] });
    forAll(
      fc.property(fc.nat(good.length), fc.nat(good.length), fc.string(), (from, length, text) => {
        writeFileSync(path, good.slice(0, from) + text + good.slice(from + length));
        const { acks, problem } = openAckFile(folder).read();
        expect(acks.length <= 2 && (acks.length > 0 || problem !== null || text !== "x")).toBe(true);
        for (const ack of acks) expect(typeof ack.drive).toBe("string");
      }),
      { seed: 20261201, cases: 1000 },
    );
  });

  it("a disk that takes nothing changes nothing", () => {
    const { folder, path } = place();
    openAckFile(folder).write([ACK]);
    mkdirSync(`${path}.new`);
    writeFileSync(join(`${path}.new`, "in-the-way"), "");
    let code = "";
    try {
      openAckFile(folder).write([]);
    } catch (error) {
      code = errorCode(error);
    }
    expect(code).toBe("ack_not_durable");
    expect(openAckFile(folder).read().acks).toEqual([ACK]);
  });
});
