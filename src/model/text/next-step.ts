/**
 * A next step is a line that can be typed as it stands (what follows "  # " explains), or else a sentence of what to do.
 * Which of the two it is decides what stands before it: whatever comes after "Next:" can be pasted.
 */
import { isSentence } from "./sentence.ts";

/** What a line may begin with to be one that can be typed. Whoever names another one in a next step adds it here: a test looks. */
const PROGRAMS: ReadonlySet<string> = new Set(
  (
    "apt apt-get btrfs cat ceph chmod chown chronyc curl df dmesg findmnt foundry-agent getent grep head hostnamectl iconv install ip " +
    "ipmitool journalctl ledctl lldpcli loginctl ls mdadm mkdir modprobe mount mv nc npm ntpq openssl ps python3 shutdown " +
    "smartctl ss sudo systemctl systemd-inhibit systemd-machine-id-setup timedatectl umount zpool"
  ).split(" "),
);

/** What stands for something else: `<file>`, "…", a word in capitals as usage lines have them. */
const PLACEHOLDER = /<[^<>\s]+>|\u2026|(?<![\w$/.:=-])[A-Z][A-Z_]+(?![\w/.=-])/;

/** Whether it can be pasted into a shell as it stands. */
export function isTypable(step: string): boolean {
  const line = step.replace(/\s+# .*$/s, "");
  const [, program = ""] = /^([a-z][a-z0-9-]*)(?= |$)/.exec(line) ?? [];
  return PROGRAMS.has(program) && !PLACEHOLDER.test(line) && !isSentence(line);
}

/** "Next: LINE" or "To do: …"; without a full stop of ours, which would be copied with a path or a value before it. */
export function labelled(step: string): string {
  return isTypable(step) ? `Next: ${step}` : `To do: ${step}`;
}
