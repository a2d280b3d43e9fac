/**
 * Drives behind a fake smartctl: one file with the answer for each device and type, which a test changes while
 * the program is first in PATH. Every start and end is written down, so that a test sees how many ran at once.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Tree } from "../machine/tree.ts";
import { capture, fakeSmartctl, usualName } from "./smart.ts";

export interface FakeDrive {
  readonly device: string;
  readonly type: string;
  readonly open_error?: string;
}

const SCRIPT = `
D="$0.d"
case "$1" in --scan*) [ -e "$D/scan.sh" ] && . "$D/scan.sh"; cat "$D/scan.json"; exit 0;; esac
case "$2" in
-t|-X) echo "$*" >> "$D/tests"; echo '{"smartctl":{"version":[7,3],"exit_status":0}}'; exit 0;;
esac
F="$D/\${7#/dev/}:$6"
printf + >> "$D/running"
echo "$7 $6" >> "$D/asked"
while [ -e "$F.hang" ]; do sleep 0.05; done
cat "$F.json"
printf -- - >> "$D/running"
read E < "$F.exit"
exit "$E"
`;

export interface FakeDrives {
  scan(devices: readonly FakeDrive[]): void;
  /** What this device says from now on; an object is made JSON. */
  says(device: string, type: string, json: string | object, exit?: number): void;
  /** It does not answer until called with false. */
  hangs(device: string, type: string, on?: boolean): void;
  /** Whether this command line of smartctl would not end by itself. */
  hanging(argv: readonly string[]): boolean;
  /** Lines of shell before the scan answers. */
  scanDoes(lines: string): void;
  /** `/dev/sda sat` for each smartctl since the last look. */
  asked(): string[];
  /** Command lines that started or ended a self-test. */
  tests(): string[];
  /** smartctl that were started since the beginning. */
  started(): number;
  /** Most smartctl at once. */
  mostAtOnce(): number;
}

export function fakeDrives(): FakeDrives {
  const folder = join(fakeSmartctl(SCRIPT), "smartctl.d");
  mkdirSync(folder);
  const file = (device: string, type: string, end: string): string => {
    const path = join(folder, `${device.slice("/dev/".length)}:${type}${end}`);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  };
  return {
    scan(devices) {
      const list = devices.map(({ device, type, open_error }) => ({
        name: device,
        type,
        protocol: "ATA",
        open_error,
      }));
      writeFileSync(
        join(folder, "scan.json"),
        JSON.stringify({ smartctl: { version: [7, 3] }, devices: list }),
      );
    },
    says(device, type, json, exit = 0) {
      writeFileSync(file(device, type, ".json"), typeof json === "string" ? json : JSON.stringify(json));
      writeFileSync(file(device, type, ".exit"), String(exit));
    },
    hangs(device, type, on = true) {
      if (on) writeFileSync(file(device, type, ".hang"), "");
      else rmSync(file(device, type, ".hang"));
    },
    hanging([, what = "", , , , , type = "", device = ""]) {
      if (what.startsWith("--scan")) return existsSync(join(folder, "scan.sh"));
      return device.startsWith("/dev/") && existsSync(file(device, type, ".hang"));
    },
    scanDoes(lines) {
      writeFileSync(join(folder, "scan.sh"), lines);
    },
    asked() {
      const path = join(folder, "asked");
      if (!existsSync(path)) return [];
      const lines = readFileSync(path, "utf8").trim().split("\n");
      rmSync(path);
      return lines;
    },
    tests() {
      const path = join(folder, "tests");
      return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
    },
    started: () => running(folder).filter((sign) => sign === "+").length,
    mostAtOnce() {
      let [now, most] = [0, 0];
      for (const sign of running(folder)) {
        now += sign === "+" ? 1 : -1;
        most = Math.max(most, now);
      }
      return most;
    },
  };
}

/** The JSON of our healthy ATA drive with another identity and other attributes. */
export function ataJson(serial: string, more: object = {}, raws: Record<number, number> = {}): object {
  const json = JSON.parse(capture("vm-lab-replay/replay-healthy"));
  const row = { value: 100, worst: 100, flags: { string: "-O--CK ", prefailure: false } };
  for (const [id, raw] of Object.entries(raws)) {
    const table = json.ata_smart_attributes.table.filter((one: { id: number }) => one.id !== Number(id));
    json.ata_smart_attributes.table = [
      ...table,
      { ...row, id: Number(id), name: usualName(Number(id)), raw: { value: raw, string: String(raw) } },
    ];
  }
  return { ...json, serial_number: serial, wwn: wwnJson(serial), ...more };
}

function wwnJson(serial: string): object {
  return { naa: 5, oui: 3152, id: serialNumber(serial) };
}

function serialNumber(serial: string): number {
  return Number(serial.replace(/\D/g, "")) + 1;
}

/** sysfs of directly attached drives, each with the WWN that its smartctl output has. */
export function driveTree(serials: Readonly<Record<string, string>>): Tree {
  const files: Tree["files"] = {};
  for (const [name, serial] of Object.entries(serials)) {
    files[`/sys/block/${name}/size`] = "8388608";
    files[`/sys/block/${name}/device/vendor`] = "ATA     ";
    files[`/sys/block/${name}/device/model`] = "LAB-ATA";
    files[`/sys/block/${name}/device/wwid`] =
      `naa.5000c50${serialNumber(serial).toString(16).padStart(9, "0")}`;
  }
  return { files };
}

function running(folder: string): string[] {
  const path = join(folder, "running");
  return existsSync(path) ? [...readFileSync(path, "utf8")] : [];
}
