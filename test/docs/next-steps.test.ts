/**
 * Every next step the program can give, out of its sources: none goes past what the agent guards, whatever stands after
 * "Next:" can be pasted, and what it types of foundry-agent's own exists.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allCommands } from "../../scripts/docs/declared.ts";
import { isTypable, labelled } from "../../src/model/text/next-step.ts";
import { allLiterals, literalsOf } from "../support/text/literals.ts";

/** Without the table of programs itself. */
const LITERALS = allLiterals().filter(({ file }) => file !== "src/model/text/next-step.ts");
const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

/**
 * What only goes through the agent: its gates ask Ceph, packages, updates, windows and whoever works there first.
 * (Not the noout of a host that never came back: no agent takes it away, and whether it is given up only people know.)
 */
const GUARDED =
  /\bsystemctl (?:-\S+ )*(?:reboot|poweroff|halt|kexec|soft-reboot|isolate|emergency|rescue)\b|(?:^|[;&|(`] ?|sudo )(?:reboot|poweroff|halt|shutdown(?! -c)|init [06]|telinit)(?:$|[ ;&|`])|\bchassis power (?!status)|\bceph osd (?:out|down|in|purge|destroy|rm|lost|stop|reweight|crush|set|unset(?!-group)|pause)\b|\b(?:systemctl|service) (?:-\S+ )*(?:stop|restart|kill|disable|mask)(?: --now)? \S*(?:ceph|osd)|\b(?:wipefs|mkfs|blkdiscard|sgdisk|shred|nvme format|hdparm --security|pvremove|vgremove|lvremove|ceph-volume lvm zap)\b|\bdd (?:if|of)=|\brm -[a-z]*r|>\s*\/proc\/sysrq|reboot [^#]*--(?:force|unproven)\b/;

/** Where such a text is no advice: it names what the helper itself does, or what somebody has typed already. */
const NAMES_IT: readonly (readonly [file: string, text: string])[] = [
  ["src/helper/reboot/graceful.ts", "systemctl reboot"],
  ["src/helper/reboot/reboot.ts", "systemctl reboot"],
  ["src/helper/reboot/ladder.ts", "systemctl reboot --force --force"],
  ["src/helper/reboot/ladder.ts", "ipmitool chassis power {}"],
];

describe("acts that the agent guards", () => {
  it("stand in no text the program can say", () => {
    const found = LITERALS.filter(
      ({ file, text, before }) =>
        // A word alone is a name, of a type, a gate or a program's argument; but not where a next step stands.
        (!/^\w+$/.test(text) || /next_?step: ?$/i.test(before)) &&
        GUARDED.test(text) &&
        !NAMES_IT.some(([at, what]) => at === file && what === text),
    ).map(({ file, line, text }) => `${file}:${line}: ${text}`);
    // Its own words for what it does are no command: "reboot this host".
    expect(found.filter((one) => !/: reboot (?:this host|required|until)/.test(one))).toEqual([]);
  });

  it("stand in no next step of the alerts and of the table of conditions", () => {
    const alerts = [...read("docs/monitoring/foundry-agent.rules.yml").matchAll(/next_step: "(.*)"/g)];
    const conditions = [...read("docs/troubleshooting.md").matchAll(/^\| `.*\|([^|]*)\|$/gm)];
    expect(alerts.length).toBeGreaterThan(20);
    expect(conditions.length).toBeGreaterThan(50);
    for (const [, step = ""] of [...alerts, ...conditions])
      for (const [, code = step] of step.includes("`") ? step.matchAll(/`([^`]*)`/g) : [[step, step]])
        expect(code).not.toMatch(GUARDED);
  });

  it("are found where they would stand", () => {
    for (const text of [
      "systemctl reboot",
      "sudo reboot  # by hand",
      "systemctl stop ceph-osd@7",
      "ceph osd out 7",
      "umount /x; shutdown -r now",
      "sudo foundry-agent reboot --unproven",
      "wipefs -a /dev/sdb",
      "ipmitool chassis power cycle",
    ])
      expect(text).toMatch(GUARDED);
    for (const text of [
      "shutdown -c",
      "ceph osd ok-to-stop 7",
      "foundry-agent reboot --dry-run",
      "systemctl list-jobs",
    ])
      expect(text).not.toMatch(GUARDED);
    const source = ["const a = `$", '{b ? "systemctl reboot" : ""}`; // "ceph osd out"'].join("");
    expect(literalsOf("x", source).map(({ text }) => text)).toEqual(["{}", "systemctl reboot", ""]);
  });
});

describe("what stands after Next:", () => {
  it("can be pasted; anything else is something to do", () => {
    expect(labelled("journalctl -u foundry-agent  # says why")).toBe(
      "Next: journalctl -u foundry-agent  # says why",
    );
    for (const step of [
      "hostnamectl set-hostname NAME",
      "foundry-agent diagnostics --output FILE",
      "ls -l <folder>",
      "sudo curl …",
      "Check fans, heat sink and air flow.",
      "write hardware = true below [agent] in /etc/x",
      "one of collect, reboot",
      "systemctl did not take it.",
    ])
      expect(labelled(step)).toBe(`To do: ${step}`);
    // What explains may name what it likes, and names in capitals that belong to a line are no gaps in it.
    expect(isTypable("foundry-agent enroll  # with an enrolment key (nf_en_…)")).toBe(true);
    expect(isTypable("foundry-agent drives forget WD-1234")).toBe(true);
    expect(isTypable("foundry-agent commands cmd_local_01M7Y87G247H66NVME0QC8CJV1")).toBe(true);
  });

  it("begins with a program that is known: no line to paste is taken for prose", () => {
    // Shown as examples, where who reads them puts in what is his.
    const examples = new Set(["src/cli/commands/list.ts", "src/sandbox/nodefoundry/texts.ts"]);
    // A line with an explanation behind it, or with an option or a path, is one to paste.
    const lines = LITERALS.filter(
      ({ file, text }) =>
        !examples.has(file) &&
        (/^[a-z][a-z0-9_-]* .*\S {2}# /.test(text) || /^[a-z][a-z0-9_-]+ (?:-[a-z]|--[a-z])/.test(text)),
    );
    expect(lines.length).toBeGreaterThan(80);
    const filled = (text: string): string =>
      text.replaceAll("{}", "x").replace("foundry-agent …", "foundry-agent status");
    expect(
      lines.filter(({ text }) => !isTypable(filled(text))).map(({ file, text }) => `${file}: ${text}`),
    ).toEqual([]);
  });

  it("types what foundry-agent has: its sub-commands and their options", async () => {
    const commands = new Map((await allCommands()).map((command) => [command.name, command]));
    const typed = LITERALS.filter(({ text }) => isTypable(text.replaceAll("{}", "x"))).flatMap(
      ({ file, text }) =>
        [...text.matchAll(/(?<![\w/-])foundry-agent ([a-z][a-z-]*)([^;&|#]*)/g)].map(
          ([, name = "", rest = ""]) => ({ file, text, name, options: rest.match(/(?<= )--[a-z-]+/g) ?? [] }),
        ),
    );
    expect(typed.length).toBeGreaterThan(60);
    for (const { file, text, name, options } of typed) {
      const command = commands.get(name);
      expect(command, `${file}: ${text}`).toBeDefined();
      const known = new Set([...Object.keys(command?.options ?? {}), "help"]);
      for (const option of options) expect(known, `${file}: ${text}`).toContain(option.slice(2));
    }
  });
});
