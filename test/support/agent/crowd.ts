/** Connections of another user, in a child that gives up root: they send what they are told, never read, and stay. */
import { spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { NOBODY } from "./unprivileged.ts";

export interface Crowd {
  /** So many of them were ended by the other side. */
  ended(): number;
}

/** Resolves when all of them are connected, or were turned away. Gone when the test is over. */
export async function crowd(wanted: {
  /** Path, or a port of 127.0.0.1. */
  readonly socket: string | number;
  readonly count: number;
  /** What each sends, as it is. */
  readonly bytes?: string;
  readonly uid?: number;
}): Promise<Crowd> {
  const { socket, count, bytes = "", uid = NOBODY } = wanted;
  const base64 = Buffer.from(bytes, "latin1").toString("base64");
  const script = `import { connect } from "node:net";
    if (process.getuid() === 0) { process.setgroups([]); process.setgid(${uid}); process.setuid(${uid}); }
    const [path, count, bytes] = process.argv.slice(1);
    let [there, ended] = [0, 0];
    const one = () => { if (++there === Number(count)) console.log("there"); };
    for (let i = 0; i < Number(count); i++) {
      const port = Number(path);
      const socket = connect({ ...(port > 0 ? { port, host: "127.0.0.1" } : { path }), allowHalfOpen: true });
      let counted = false;
      const once = () => { if (!counted) { counted = true; one(); } };
      socket.pause();
      socket.on("connect", () => { if (bytes !== "") socket.write(Buffer.from(bytes, "base64")); once(); });
      socket.on("error", once);
      // Without reading nobody sees the end, but a write after it fails.
      setInterval(() => socket.destroyed || socket.write(""), 50).unref();
      socket.on("close", () => { once(); console.log("ended " + ++ended); });
    }
    setInterval(() => undefined, 1e6);`;
  const child = spawn(
    process.execPath,
    ["--input-type=module", "-e", script, String(socket), String(count), base64],
    {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: "/",
      env: {},
    },
  );
  const gone = new Promise((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      said += String(chunk);
      if (said.includes("there")) resolve();
    });
    child.once("close", () => reject(new Error(`the crowd is gone: ${said}`)));
  });
  return { ended: () => said.split("ended ").length - 1 };
}
