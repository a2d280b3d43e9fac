/**
 * The executable and the shipped units put into the machine by hand, as the package does it: what is tested is how
 * they get on with real devices, not the package. Beside them a configuration for one process that does all itself.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { vmLacking } from "../../scripts/lab/vm-image.mjs";
import { ROOT } from "../../scripts/paths.mjs";
import type { Vm } from "./vm.ts";

const EXECUTABLE = join(ROOT, "dist/foundry-agent-linux-x64");
export const UNITS = ["foundry-agent.service", "foundry-agent-helper.service", "foundry-agent-helper.socket"];
/** Folder with config.toml, state and run folder of the process that needs no helper. */
export const DIRECT = "/root/direct";

/** Why it can't be done here, with what to do; null when it can. */
export function installLacking(): string | null {
  return existsSync(EXECUTABLE) ? vmLacking() : "there is no executable: npm run build";
}

/** Install and start the daemon, unprivileged, with the helper's socket beside it; resolves when it is ready. */
export async function install(vm: Vm): Promise<void> {
  await vm.put("/usr/bin/foundry-agent", { file: EXECUTABLE }, "755");
  for (const unit of UNITS)
    await vm.put(`/usr/lib/systemd/system/${unit}`, { file: join(ROOT, "systemd", unit) });
  await vm.put("/usr/lib/sysusers.d/foundry-agent.conf", { file: join(ROOT, "systemd/sysusers.conf") });
  await vm.put("/usr/lib/tmpfiles.d/foundry-agent.conf", { file: join(ROOT, "systemd/tmpfiles.conf") });
  await vm.ok(`mkdir -p /etc/foundry-agent && install -d -m 700 ${DIRECT} ${DIRECT}/run`);
  await vm.put("/etc/foundry-agent/policy.toml", { file: join(ROOT, "packaging/policy.toml") });
  // Only asked when a test asks, so that it is known which question found what.
  const seldom = ["smart", "bmc", "drives"]
    .map((name) => `[collectors.${name}]\ninterval_s = 86400\n`)
    .join("");
  await vm.put("/etc/foundry-agent/config.toml", seldom);
  const own = `[agent]\nhardware = true\nstate_dir = "${DIRECT}/state"\nrun_dir = "${DIRECT}/run"\n`;
  await vm.put(`${DIRECT}/config.toml`, own + seldom, "600");
  await vm.ok("systemd-sysusers && systemd-tmpfiles --create foundry-agent.conf && systemctl daemon-reload");
  await vm.ok("systemctl start foundry-agent-helper.socket foundry-agent.service");
}
