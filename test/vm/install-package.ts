/** The Debian package installed by dpkg, and configured as an administrator would, to reboot as often as a test wants. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePackage } from "../../scripts/package/package.mjs";
import { certificatePath } from "../support/net/tls.ts";
import { HOST_ADDRESS, type Vm } from "./vm.ts";

/** A name on the test server's certificate. */
const SERVER = "api.foundry.test";

/** Over reboots, and as much of it as can be over a reset. */
export async function keepJournal(vm: Vm): Promise<void> {
  await vm.ok("mkdir -p /var/log/journal /etc/systemd/journald.conf.d");
  await vm.put(
    "/etc/systemd/journald.conf.d/lab.conf",
    "[Journal]\nStorage=persistent\nSyncIntervalSec=1s\n",
  );
  await vm.ok("systemctl restart systemd-journald && journalctl --flush");
}

export async function installPackage(vm: Vm): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), "foundry-deb-"));
  try {
    const file = makePackage({ form: "deb", arch: "x64", out, quick: true });
    await vm.put("/root/foundry-agent.deb", { file });
    await vm.ok("dpkg -i /root/foundry-agent.deb && rm /root/foundry-agent.deb");
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

export async function configure(vm: Vm, enrolKey: string): Promise<void> {
  await vm.ok(`echo '${HOST_ADDRESS} ${SERVER}' >> /etc/hosts`);
  await vm.put("/etc/foundry-agent/ca.crt", { file: certificatePath("ca") });
  await vm.put("/etc/foundry-agent/enrol.key", enrolKey, "640");
  await vm.ok("chgrp foundry-agent /etc/foundry-agent/enrol.key");
  // As an administrator would: the package's file with other values in the lines that stand there.
  await vm.ok(
    `sed -i -e 's/^remote = .*/remote = "on"/' -e 's/^minutes_apart = .*/minutes_apart = 0/' -e 's/^a_day = .*/a_day = 100/' /etc/foundry-agent/policy.toml`,
  );
  await vm.put(
    "/etc/foundry-agent/conf.d/lab.toml",
    `[agent]
hardware = true
[nodefoundry]
url = "https://${SERVER}"
ca_file = "/etc/foundry-agent/ca.crt"
enrol_key_file = "/etc/foundry-agent/enrol.key"
[commands]
grace_s = 0
splay_s = 0
uptime_guard_s = 0
`,
  );
  await vm.ok("systemctl reload foundry-agent");
}
