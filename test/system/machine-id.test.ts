import { expect, test } from "vitest";
import { openFiles } from "../../src/system/files.ts";
import { DEFAULT_MACHINE_ID_SALT, machineIdOf, readMachineId } from "../../src/system/machine-id.ts";
import { layTree } from "../support/machine/tree.ts";

const RAW = "4f2a9c0d7b6e4d1f8a3c5e7092b4d6f8";

test("the id is the HMAC-SHA-256 that openssl gives for key and salt", () => {
  // printf %s foundry-agent/v1 | openssl dgst -sha256 -hmac 4f2a9c0d7b6e4d1f8a3c5e7092b4d6f8
  expect(machineIdOf(RAW, DEFAULT_MACHINE_ID_SALT)).toBe(
    "3145cf6119b8defada79469d2042297e153df121f5ee452568c2373b16949f7d",
  );
});

test("white space and case of the file make no other node, another salt does", () => {
  expect(machineIdOf(`${RAW.toUpperCase()}\n`, "a")).toBe(machineIdOf(RAW, "a"));
  expect(machineIdOf(RAW, "b")).not.toBe(machineIdOf(RAW, "a"));
  expect(machineIdOf(RAW, "a")).not.toContain(RAW);
});

test.each([
  ["as systemd writes it", { "/etc/machine-id": `${RAW}\n` }, RAW],
  ["only D-Bus has one", { "/etc/machine-id": "", "/var/lib/dbus/machine-id": `${RAW}\n` }, RAW],
  ["first boot", { "/etc/machine-id": "uninitialized\n" }, null],
  ["all zeros", { "/etc/machine-id": `${"0".repeat(32)}\n` }, null],
  ["too long", { "/etc/machine-id": `${RAW}00\n` }, null],
  ["none", {}, null],
])("%s", (_, files, expected) => {
  expect(readMachineId(openFiles(layTree({ files })))).toBe(expected);
});
