/**
 * Telling systemd how the service is (sd_notify(3)): one datagram of `KEY=VALUE` lines to the unix socket
 * named in NOTIFY_SOCKET. Node has no unix datagrams, so it goes through the C library, and where that is
 * not to be had through the `systemd-notify` program (the unit then needs NotifyAccess=all).
 */
import { execFile } from "node:child_process";
import { errorText } from "../model/errors.ts";
import type { Logger } from "../model/log.ts";
import { type Native, openNative } from "./native.ts";

export interface Notify {
  /** How it is told: over the socket, by the program, or to nobody (not started by systemd). */
  readonly how: "socket" | "program" | "none";
  /** Milliseconds after which systemd kills a silent service (WatchdogSec=), or null. Feed it twice as often. */
  readonly watchdogMs: number | null;
  /** Start-up is over (Type=notify); also ends a reload. */
  ready(): void;
  /** What `systemctl status` shows after "Status:"; one line, at most 200 characters. */
  status(text: string): void;
  /** Still making progress. Call it for progress only, never from a bare timer. */
  watchdog(): void;
  /** Going down. */
  stopping(): void;
  /** Reading the configuration again; `ready()` says when that is done. */
  reloading(): void;
}

const PROGRAM = "systemd-notify";
const PROGRAM_TIMEOUT_MS = 5_000;

/**
 * @param env where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are looked up.
 * @param options.log gets one line when the first message can't be sent; later failures are silent.
 * @param options.native the C library, null to go without; opened here when left out.
 */
export function openNotify(
  env: Readonly<Record<string, string | undefined>>,
  options: { log?: Pick<Logger, "warn">; native?: Native | null } = {},
): Notify {
  const target = env.NOTIFY_SOCKET;
  // systemd also knows vsock: addresses; those are for machines, not for services in one.
  if (target === undefined || !/^[/@]./.test(target)) return silent;
  const native = options.native === undefined ? openNative() : options.native;
  let complained = false;

  function failed(reason: string): void {
    if (complained) return;
    complained = true;
    options.log?.warn({ reason }, "systemd can't be told how the service is");
  }

  function send(lines: readonly string[]): void {
    if (native !== null) {
      const reason = native.sendDatagram(target as string, lines.join("\n"));
      if (reason !== null) failed(reason);
      return;
    }
    const child = execFile(
      PROGRAM,
      [...lines],
      {
        timeout: PROGRAM_TIMEOUT_MS,
        killSignal: "SIGKILL",
        maxBuffer: 4096,
        env: { PATH: env.PATH, NOTIFY_SOCKET: target },
      },
      (error) => {
        if (error !== null) failed(errorText(error));
      },
    );
    child.unref();
  }

  return {
    how: native === null ? "program" : "socket",
    watchdogMs: watchdogMs(env),
    ready: () => send(["READY=1"]),
    status: (text) => send([`STATUS=${oneLine(text)}`]),
    watchdog: () => send(["WATCHDOG=1"]),
    stopping: () => send(["STOPPING=1"]),
    // Type=notify-reload wants to know when the reload began, on CLOCK_MONOTONIC, which is hrtime's clock.
    reloading: () => send(["RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]),
  };
}

/** WATCHDOG_USEC as milliseconds, when it is meant for this process. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>): number | null {
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(process.pid)) return null;
  const microseconds = Number(env.WATCHDOG_USEC);
  return Number.isFinite(microseconds) && microseconds > 0 ? microseconds / 1000 : null;
}

/** A line break would begin a new KEY=VALUE. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}

function nothing(): void {}

const silent: Notify = {
  how: "none",
  watchdogMs: null,
  ready: nothing,
  status: nothing,
  watchdog: nothing,
  stopping: nothing,
  reloading: nothing,
};
