import { expect, test } from "vitest";
import type { Io } from "../../../src/cli/output.ts";
import { terminalWidth, watch } from "../../../src/cli/text/watch.ts";
import { AgentError } from "../../../src/model/errors.ts";

function terminal(onPicture: (count: number) => void, signal: AbortSignal) {
  const pictures: string[] = [];
  const io: Io = {
    stdout: (text) => {
      if (!text.startsWith("\u001b[H")) return;
      pictures.push(
        text
          .replace(/^\u001b\[H/, "")
          .replaceAll("\u001b[K", "")
          .replace("\u001b[J", ""),
      );
      onPicture(pictures.length);
    },
    stderr: () => undefined,
    isTty: true,
    env: {},
    color: false,
    now: () => 0,
    signal,
  };
  return { io, pictures };
}

test("while the daemon is away the last picture stays, with the reason; then it goes on", async () => {
  const abort = new AbortController();
  const { io, pictures } = terminal((count) => count === 4 && abort.abort(), abort.signal);
  let asked = 0;
  const code = await watch(io, 1, async () => {
    asked++;
    if (asked === 2 || asked === 3) throw new AgentError("daemon_unreachable", `no agent answers (${asked})`);
    return `line one\npicture ${asked}\n`;
  });
  expect(code).toBe(0);
  expect(pictures).toEqual([
    "line one\npicture 1\n",
    "line one\npicture 1\n\nNot up to date: no agent answers (2).\n",
    "line one\npicture 1\n\nNot up to date: no agent answers (3).\n",
    "line one\npicture 4\n",
  ]);
});

test("a first picture that can't be had is an error like any other, and so is a bug", async () => {
  const abort = new AbortController();
  const { io, pictures } = terminal(() => undefined, abort.signal);
  await expect(
    watch(io, 1, async () => Promise.reject(new AgentError("daemon_unreachable", "x"))),
  ).rejects.toMatchObject({ code: "daemon_unreachable" });
  expect(pictures).toEqual([]);
  let asked = 0;
  const broken = async (): Promise<string> => {
    if (asked++ === 0) return "one\n";
    throw new TypeError("bug");
  };
  await expect(watch(io, 1, broken)).rejects.toBeInstanceOf(TypeError);
});

test("the width of a terminal, and none where there is none", () => {
  expect(terminalWidth({ isTty: true, env: { COLUMNS: "72" } })).toBe(72);
  expect(terminalWidth({ isTty: false, env: { COLUMNS: "72" } })).toBeUndefined();
});
