/**
 * An emulated storage node: a Debian 12 on QEMU without KVM, with an NVMe, an ATA, a SCSI and a SAS disk whose
 * SMART answers are QEMU's own, and a BMC on a KCS port. It reaches nothing outside; only its ssh is forwarded,
 * to a port on loopback. Its disk is a copy that is thrown away, and it ends with the tests, or after a time.
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
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { vmImage } from "../../scripts/lab/vm-image.mjs";
import { ROOT } from "../../scripts/paths.mjs";

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
  stop(): Promise<void>;
}

/** Serial numbers of the disks, by what speaks to them. Letters move between boots. */
export const SERIALS = {
  nvme: "LABNVME0001",
  ata: "LABATA0001",
  scsi: "LABSCSI0001",
  sas: "LABSAS0001",
} as const;

const DISK_BYTES = 256 * 1024 * 1024;
/** It ends by then whatever became of the tests. */
const LIFE_SECONDS = 1_200;
const BOOT_SECONDS = 240;

/** Boot it; resolves when systemd is done starting. */
export async function bootVm(): Promise<Vm> {
  const image = vmImage();
  // Sockets have short names only, so not in the checkout.
  const folder = mkdtempSync(join(tmpdir(), "foundry-vm-"));
  const scratch = join(ROOT, "build/vm");
  mkdirSync(scratch, { recursive: true });
  const port = await freePort();
  const child = spawn(
    "timeout",
    ["--kill-after=10", String(LIFE_SECONDS), "qemu-system-x86_64", ...machine(image, folder, port)],
    // What it writes to its disk goes to a file there that has no name.
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: scratch } },
  );
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + String(chunk)).slice(-4_000);
  });
  const ended = once(child, "exit");
  const gone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const ssh = [
    ...["-q", "-i", join(image, "id_lab"), "-p", String(port)],
    ...[
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "ConnectTimeout=10",
      "BatchMode=yes",
    ].flatMap((option) => ["-o", option]),
    // One connection for all lines: making one takes the emulated processor most of a second.
    ...["ControlMaster=auto", `ControlPath=${folder}/ssh`, "ControlPersist=60"].flatMap((option) => [
      "-o",
      option,
    ]),
    "root@127.0.0.1",
  ];

  function remote(line: string, input: NodeJS.ReadableStream | string | null, ms: number): Promise<Ran> {
    return new Promise((resolve) => {
      const settings = { maxBuffer: 16 * 1024 * 1024, timeout: ms };
      const process = execFile("ssh", [...ssh, line], settings, (error, stdout, stderr) => {
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
    async stop() {
      await new Promise((resolve) => execFile("ssh", ["-O", "exit", ...ssh], resolve));
      if (!gone()) child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };

  try {
    const end = performance.now() + BOOT_SECONDS * 1_000;
    for (;;) {
      if (gone()) throw new Error(`QEMU ended at once: ${complaint}`);
      const { stdout } = await remote("systemctl is-system-running --wait", null, BOOT_SECONDS * 1_000);
      if (/^(?:running|degraded)/.test(stdout)) return vm;
      if (performance.now() > end) throw new Error(`not up within ${BOOT_SECONDS} s:\n${tail(folder)}`);
      await sleep(500);
    }
  } catch (error) {
    await vm.stop();
    throw error;
  }
}

function machine(image: string, folder: string, port: number): string[] {
  const disk = (name: string): string[] => {
    const file = join(folder, `${name}.raw`);
    writeFileSync(file, "");
    truncateSync(file, DISK_BYTES);
    return ["-drive", `if=none,id=${name},file=${file},format=raw`];
  };
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
    ...["-netdev", `user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
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

/** https://www.qemu.org/docs/master/interop/qmp-spec.html: a greeting, then one JSON object a line each way. */
async function qmp(path: string, command: string, argumentsOf: Record<string, unknown>): Promise<unknown> {
  const socket = createConnection(path);
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`QEMU closed the connection before it answered ${command}`);
      const message = JSON.parse(String(value)) as Record<string, unknown>;
      if (!("event" in message)) return message;
    }
  };
  try {
    await answer();
    for (const [execute, given] of [["qmp_capabilities", {}] as const, [command, argumentsOf] as const])
      socket.write(`${JSON.stringify({ execute, arguments: given })}\n`);
    await answer();
    const { error, return: value } = await answer();
    if (error !== undefined) throw new Error(`QEMU refuses ${command}: ${JSON.stringify(error)}`);
    return value;
  } finally {
    socket.destroy();
  }
}

function tail(folder: string): string {
  try {
    return readFileSync(join(folder, "console"), "utf8").slice(-3_000);
  } catch {
    return "its console said nothing";
  }
}
