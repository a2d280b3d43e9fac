/**
 * An emulated storage node: a Debian 12 on QEMU without KVM, with an NVMe, an ATA, a SCSI and a SAS disk whose
 * SMART answers are QEMU's own, and a BMC on a KCS port. It reaches nothing outside; only its ssh is forwarded,
 * to a port on loopback, and where a test wants it one server on loopback here answers in it. Its disk is a copy that
 * lasts over its reboots and is thrown away with the machine, which ends with the tests, or after a time.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { vmImage } from "../../scripts/lab/vm-image.mjs";
import { NODE, ROOT } from "../../scripts/paths.mjs";
import { qmp } from "./qmp.ts";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  /** Both outputs, for messages. */
  readonly said: string;
}

export interface Vm {
  /** Run a line of shell in it as root. Never throws for an exit code. */
  run(line: string): Promise<Ran>;
  /** Like `run`, and throws with what was said unless it ended with 0. @returns its standard output */
  ok(line: string): Promise<string>;
  /** Write a file in it; its folder must be there. */
  put(path: string, content: string | { readonly file: string }, mode?: string): Promise<void>;
  /** One command of QEMU's machine protocol. @throws Error with its refusal */
  qmp(command: string, argumentsOf?: Record<string, unknown>): Promise<unknown>;
  /** Of the boot it is on, as the kernel writes it. */
  bootId(): Promise<string>;
  /**
   * Resolves with the new boot id when it runs another boot than this one and systemd is done starting.
   * @param early called as soon as the other boot shows. @throws Error after some minutes
   */
  comesBack(from: string, early?: () => void): Promise<string>;
  stop(): Promise<void>;
}

export interface VmOptions {
  /** Port on loopback here that it reaches as `HOST_ADDRESS`, port 443. */
  readonly reaches?: number;
  /** Until then it has ended whatever became of the tests. */
  readonly lifeSeconds?: number;
}

/** Of the one server that it may reach, in the network that QEMU gives it. */
export const HOST_ADDRESS = "10.0.2.100";

/** Serial numbers of the disks, by what speaks to them. Letters move between boots. */
export const SERIALS = {
  nvme: "LABNVME0001",
  ata: "LABATA0001",
  scsi: "LABSCSI0001",
  sas: "LABSAS0001",
} as const;

const DISK_BYTES = 256 * 1024 * 1024;
const LIFE_SECONDS = 1_200;
const BOOT_SECONDS = 240;
const BOOT_ID = "cat /proc/sys/kernel/random/boot_id";
const RELAY = join(ROOT, "test/vm/relay.ts");

/** Boot it; resolves when systemd is done starting. */
export async function bootVm({ reaches, lifeSeconds = LIFE_SECONDS }: VmOptions = {}): Promise<Vm> {
  const image = vmImage();
  // Sockets have short names only, so not in the checkout.
  const folder = mkdtempSync(join(tmpdir(), "foundry-vm-"));
  const scratch = join(ROOT, "build/vm");
  mkdirSync(scratch, { recursive: true });
  const port = await freePort();
  const child = spawn(
    "timeout",
    [
      ...["--kill-after=10", String(lifeSeconds), "qemu-system-x86_64"],
      ...machine(image, folder, port, reaches),
    ],
    // What it writes to its disk goes to a file there that has no name.
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: scratch } },
  );
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + String(chunk)).slice(-4_000);
  });
  const ended = once(child, "exit");
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const target = [
    ...["-q", "-i", join(image, "id_lab"), "-p", String(port)],
    ...[
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "ConnectTimeout=10",
      "BatchMode=yes",
    ].flatMap((option) => ["-o", option]),
    "root@127.0.0.1",
  ];
  // One connection for all lines: making one takes the emulated processor most of a second.
  const shared = ["ControlMaster=auto", `ControlPath=${folder}/ssh`, "ControlPersist=60"];
  const ssh = [...shared.flatMap((option) => ["-o", option]), ...target];
  const hangUp = () => new Promise((resolve) => execFile("ssh", ["-O", "exit", ...ssh], resolve));

  function remote(
    line: string,
    input: NodeJS.ReadableStream | string | null,
    ms: number,
    by: readonly string[] = ssh,
  ): Promise<Ran> {
    return new Promise((resolve) => {
      const settings = { maxBuffer: 16 * 1024 * 1024, timeout: ms };
      const process = execFile("ssh", [...by, line], settings, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ status, stdout, said: `${stdout}${stderr}` });
      });
      if (process.stdin === null) return;
      process.stdin.on("error", () => undefined); // it ended before it took all; its exit code says so
      if (input === null || typeof input === "string") process.stdin.end(input ?? "");
      else input.pipe(process.stdin);
    });
  }
  const run = (line: string): Promise<Ran> => remote(line, null, 120_000);
  async function ok(line: string): Promise<string> {
    const { status, stdout, said } = await run(line);
    if (status !== 0) throw new Error(`${line} ended with ${status}:\n${said}`);
    return stdout;
  }

  const vm: Vm = {
    run,
    ok,
    async put(path, content, mode = "644") {
      const input = typeof content === "string" ? content : createReadStream(content.file);
      const { status, said } = await remote(`cat > '${path}' && chmod ${mode} '${path}'`, input, 180_000);
      if (status !== 0) throw new Error(`${path} was not written: ${said}`);
    },
    qmp: (command, argumentsOf = {}) => qmp(join(folder, "qmp"), command, argumentsOf),
    bootId: async () => (await ok(BOOT_ID)).trim(),
    async comesBack(from, early) {
      const end = performance.now() + BOOT_SECONDS * 1_000;
      for (;;) {
        if (gone()) throw new Error(`QEMU ended: ${complaint}`);
        // Each on a connection of its own: the shared one may lead to the boot that is gone.
        const now = (await remote(BOOT_ID, null, 20_000, target)).stdout.trim();
        if (now !== "" && now !== from) break;
        if (performance.now() > end) throw new Error(`not back within ${BOOT_SECONDS} s:\n${tail(folder)}`);
        await sleep(500);
      }
      early?.();
      await hangUp();
      await up();
      return (await ok(BOOT_ID)).trim();
    },
    async stop() {
      await hangUp();
      if (!gone()) child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };

  async function up(): Promise<void> {
    const end = performance.now() + BOOT_SECONDS * 1_000;
    for (;;) {
      if (gone()) throw new Error(`QEMU ended: ${complaint}`);
      const { stdout } = await remote("systemctl is-system-running --wait", null, BOOT_SECONDS * 1_000);
      if (/^(?:running|degraded)/.test(stdout)) return;
      if (performance.now() > end) throw new Error(`not up within ${BOOT_SECONDS} s:\n${tail(folder)}`);
      await sleep(500);
    }
  }

  try {
    await up();
    return vm;
  } catch (error) {
    await vm.stop();
    throw error;
  }
}

function machine(image: string, folder: string, port: number, reaches: number | undefined): string[] {
  const disk = (name: string): string[] => {
    const file = join(folder, `${name}.raw`);
    writeFileSync(file, "");
    truncateSync(file, DISK_BYTES);
    return ["-drive", `if=none,id=${name},file=${file},format=raw`];
  };
  // A program for each connection: the form that takes an address makes a single one, when QEMU starts.
  const relay =
    reaches === undefined ? "" : `,guestfwd=tcp:${HOST_ADDRESS}:443-cmd:'${NODE}' '${RELAY}' ${reaches}`;
  return [
    ...["-name", "foundry-lab", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"],
    ...["-smp", "2", "-m", "1536", "-display", "none", "-no-user-config", "-nodefaults", "-vga", "none"],
    ...["-serial", `file:${folder}/console`, "-qmp", `unix:${folder}/qmp,server=on,wait=off`],
    ...["-kernel", `${image}/vmlinuz`, "-initrd", `${image}/initrd.img`],
    ...["-append", "root=/dev/vda rw console=ttyS0"],
    ...["-drive", `if=none,id=root,file=${image}/root.raw,format=raw,snapshot=on`],
    ...["-device", "virtio-blk-pci,drive=root"],
    ...disk("nvme0"),
    ...["-device", `nvme,id=nvmedev,drive=nvme0,serial=${SERIALS.nvme}`],
    ...disk("ata0"),
    ...["-device", `ide-hd,drive=ata0,bus=ide.0,serial=${SERIALS.ata},model=LAB-ATA,wwn=0x5000c500deadbeef`],
    ...["-device", "virtio-scsi-pci,id=vscsi", ...disk("scsi0")],
    ...[
      "-device",
      `scsi-hd,id=scsidev,bus=vscsi.0,drive=scsi0,serial=${SERIALS.scsi},vendor=LAB,product=SCSIDISK`,
    ],
    ...["-device", "mptsas1068,id=sas", ...disk("sas0")],
    ...[
      "-device",
      `scsi-hd,bus=sas.0,drive=sas0,serial=${SERIALS.sas},vendor=LAB,product=SASDISK,wwn=0x5000c500deadbee1`,
    ],
    ...["-device", "ipmi-bmc-sim,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0,irq=5"],
    ...["-netdev", `user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22${relay}`],
    ...["-device", "virtio-net-pci,netdev=n0"],
  ];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}

function tail(folder: string): string {
  try {
    return readFileSync(join(folder, "console"), "utf8").slice(-3_000);
  } catch {
    return "its console said nothing";
  }
}
