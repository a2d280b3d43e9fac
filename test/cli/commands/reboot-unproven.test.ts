import { expect, test } from "vitest";
import { rebootCommandWith } from "../../../src/cli/commands/reboot.ts";
import type { RunProgram } from "../../../src/system/program.ts";
import { piped, typed } from "../../support/agent/daemon.ts";
import { runCli } from "../../support/text/io.ts";

function rebooting(given: { uid?: number; status?: number; answer?: string } = {}) {
  const ran: (readonly string[])[] = [];
  const environments: Readonly<Record<string, string>>[] = [];
  const run: RunProgram = async (argv, { env = {} }) => {
    ran.push(argv);
    environments.push(env);
    const { status = 0 } = given;
    return { status, ended: "exited", stdout: "", stderr: "no\n", durationMs: 1, lingering: null };
  };
  const input = given.answer === undefined ? piped("") : typed(given.answer);
  const command = rebootCommandWith({ input: () => input, run, uid: () => given.uid ?? 0, pollMs: 5 });
  return {
    ran,
    environments,
    cli: (...argv: string[]) => runCli([command], ["reboot", "--unproven", ...argv]),
  };
}

test("only root may", async () => {
  const { ran, cli } = rebooting({ uid: 1000 });
  const { code, stderr } = await cli("--yes");
  expect([code, ran]).toEqual([4, []]);
  expect(stderr).toContain("Next: sudo foundry-agent reboot --unproven");
});

test("it asks, says that nothing proves it, and no is no", async () => {
  const { ran, cli } = rebooting({ answer: "\r" });
  const { code, stderr } = await cli();
  expect([code, ran]).toEqual([4, []]);
  expect(stderr).toContain("nothing will prove it. Go on?");
  const nobody = rebooting();
  expect([(await nobody.cli()).code, nobody.ran]).toEqual([2, []]);
});

test("it runs systemctl, twice forced when hard", async () => {
  const { ran, environments, cli } = rebooting();
  const { code, stdout } = await cli("--yes");
  expect(code).toBe(0);
  expect(stdout).toContain("Nothing will prove this reboot");
  await cli("--yes", "--hard");
  expect(ran).toEqual([
    ["systemctl", "reboot"],
    ["systemctl", "reboot", "--force", "--force"],
  ]);
  // No soft-reboot and no kexec in its place.
  for (const env of environments)
    expect(env).toMatchObject({ SYSTEMCTL_SKIP_AUTO_SOFT_REBOOT: "1", SYSTEMCTL_SKIP_AUTO_KEXEC: "1" });
});

test("what the agent would do says nothing here, and a failure is told", async () => {
  const { ran, cli } = rebooting({ status: 1 });
  expect([(await cli("--yes", "--dry-run")).code, ran]).toEqual([2, []]);
  const { code, stderr } = await cli("--yes");
  expect(code).toBe(1);
  expect(stderr).toContain("systemctl did not take it: no.");
});
