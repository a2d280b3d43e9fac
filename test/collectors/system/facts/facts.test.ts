/** How a machine booted, what its kernel enforces, and the cards its drives hang on. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readBootMode } from "../../../../src/collectors/system/facts/boot-mode.ts";
import { withoutSecrets } from "../../../../src/collectors/system/facts/command-line.ts";
import { readControllers } from "../../../../src/collectors/system/facts/controllers.ts";
import { readSecurity } from "../../../../src/collectors/system/facts/security.ts";
import { forAll } from "../../../support/for-all.ts";
import { loadTree, type Tree, treeMachine } from "../../../support/machine/tree.ts";

const files = (tree: Partial<Tree>) => treeMachine({ files: {}, ...tree }).files;

describe("the kernel's command line", () => {
  test.each([
    [
      "root=UUID=6b0d9c1e-4f0a-4c3e-9b8f-2c5d3a9e7b10 ro quiet",
      "root=UUID=6b0d9c1e-4f0a-4c3e-9b8f-2c5d3a9e7b10 ro quiet",
    ],
    [
      "rd.luks.key=/keys/root.key:UUID=1 vconsole.keymap=de crashkernel=512M",
      "rd.luks.key=*** vconsole.keymap=de crashkernel=512M",
    ],
    ["rd.iscsi.password=hunter2 rd.iscsi.in.password=x", "rd.iscsi.password=*** rd.iscsi.in.password=***"],
    ['cryptkey="/dev/sda1:ext4:/a b" quiet', "cryptkey=*** quiet"],
    ["netroot=iscsi:user:pass@10.0.0.1::3260::iqn", "netroot=iscsi:***@10.0.0.1::3260::iqn"],
    ["inst.ks=https://me:pw@host/ks.cfg?token=abc quiet", "inst.ks=https://***@host/ks.cfg?*** quiet"],
    ["ignition.config.url=http://host/x#frag", "ignition.config.url=http://host/x?***"],
    [
      "systemd.setenv=AWS_KEY=abc systemd.set_credential=passwd.hashed:xyz",
      "systemd.setenv=AWS_KEY=*** systemd.set_credential=passwd.hashed=***",
    ],
    ["agent=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "agent=***"],
    [
      "roothash=0123456789abcdef0123456789abcdef0123456789abcdef",
      "roothash=0123456789abcdef0123456789abcdef0123456789abcdef",
    ],
    ["k3s.token= quiet", "k3s.token= quiet"],
    ["quiet -- --token abc", "quiet -- ***"],
    ["quiet --", "quiet"],
    ['dyndbg="file a.c +p"', 'dyndbg="file a.c +p"'],
    ['secret="never closed', "secret=***"],
  ])("%s", (line, shown) => {
    expect(withoutSecrets(line)).toBe(shown);
  });

  test("no value of a parameter that is named as a secret is ever in it", () => {
    const name = fc.constantFrom("password", "rd.luks.key", "api_token", "x.secret", "wpa_psk", "PASSPHRASE");
    const quote = fc.constantFrom("", '"');
    forAll(
      fc.property(name, quote, fc.string({ maxLength: 20 }), (parameter, mark, around) => {
        const shown = withoutSecrets(
          `${around.replaceAll('"', "")} ${parameter}=${mark}CANARY${mark} ${around}`,
        );
        expect(shown).not.toContain("CANARY");
      }),
      { seed: 5, cases: 1000 },
    );
  });
});

describe("boot mode", () => {
  const secureBoot = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

  test("a storage node with UEFI and secure boot, a Raspberry Pi with its EEPROM", () => {
    expect(readBootMode(treeMachine(loadTree("ceph-node")).files)).toEqual({
      mode: "uefi",
      secure_boot: true,
      eeprom: null,
    });
    expect(readBootMode(treeMachine(loadTree("pi4")).files)).toEqual({
      mode: "device-tree",
      secure_boot: null,
      eeprom: {
        version: "4fd8f1f3ba56d3b4b3a52ad8ff0b5c8e0a6f7a10",
        built: "2023-01-11T13:20:00Z",
        updated: null,
      },
    });
  });

  test("what is hidden is not known, and not BIOS", () => {
    expect(readBootMode(files({})).mode).toBeNull();
    expect(readBootMode(files({ folders: ["/sys/firmware"] })).mode).toBeNull();
    expect(readBootMode(files({ folders: ["/sys/firmware/acpi"] })).mode).toBe("bios");
  });

  test("a variable that is closed or of another length tells nothing", () => {
    const variable = (base64: string, errors = {}) =>
      readBootMode(files({ files: { [secureBoot]: { base64 } }, errors })).secure_boot;
    expect(variable("BgAAAAA=")).toBe(false);
    expect(variable("BgAAAAE=")).toBe(true);
    expect(variable("BgAAAAI=")).toBeNull();
    expect(variable("BgAA")).toBeNull();
    expect(variable("BgAAAAE=", { [secureBoot]: "EACCES" })).toBeNull();
  });
});

describe("security modules", () => {
  const lsm = "/sys/kernel/security/lsm";

  test.each([
    [
      {
        "/sys/fs/selinux/enforce": "1",
        "/etc/selinux/config": "# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
      },
      { state: "enforcing", configured: "enforcing", policy: "targeted" },
    ],
    [
      { "/sys/fs/selinux/enforce": "0", "/etc/selinux/config": "SELINUX = Enforcing\n" },
      { state: "permissive", configured: "enforcing", policy: null },
    ],
    [{ [lsm]: "lockdown,yama,apparmor" }, { state: "disabled", configured: null, policy: null }],
    [{}, { state: null, configured: null, policy: null }],
  ])("SELinux: %o", (tree, expected) => {
    expect(readSecurity(files({ files: tree })).selinux).toEqual(expected);
  });

  test("AppArmor's profiles by mode, where they may be read", () => {
    const profiles = "/sys/kernel/security/apparmor/profiles";
    const tree = {
      [lsm]: "capability,apparmor\n",
      "/sys/module/apparmor/parameters/enabled": "Y\n",
      [profiles]:
        "/usr/sbin/chronyd (enforce)\n/usr/bin/man (enforce)\nlsb_release (complain)\na b (unconfined)\n",
    };
    expect(readSecurity(files({ files: tree })).apparmor).toEqual({
      enabled: true,
      profiles: { enforce: 2, complain: 1, unconfined: 1 },
    });
    expect(readSecurity(files({ files: tree, errors: { [profiles]: "EACCES" } })).apparmor).toEqual({
      enabled: true,
      profiles: null,
    });
    expect(
      readSecurity(files({ files: { "/sys/module/apparmor/parameters/enabled": "N\n" } })).apparmor.enabled,
    ).toBe(false);
    expect(readSecurity(files({})).apparmor.enabled).toBeNull();
  });
});

describe("storage controllers", () => {
  test("a storage node's HBA and its board's SATA", () => {
    expect(readControllers(treeMachine(loadTree("ceph-node")).files)).toEqual([
      expect.objectContaining({
        pci_address: "0000:00:17.0",
        kind: "sata",
        pci_id: "8086:a182",
        driver: "ahci",
        firmware: null,
      }),
      {
        pci_address: "0000:18:00.0",
        kind: "sas",
        vendor: "Broadcom / LSI",
        device: "SAS3008 PCI-Express Fusion-MPT SAS-3",
        pci_id: "1000:0097",
        subsystem_id: "1000:30e0",
        model: "SAS9300-8i",
        serial: "SP81234567",
        driver: "mpt3sas",
        driver_version: "43.100.00.00",
        firmware: "16.00.12.00",
        hosts: ["host0"],
      },
    ]);
  });

  test("drives that are their own controllers, and virtual disks, are none", () => {
    const device = (address: string, of: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(of).map(([name, text]) => [`/sys/bus/pci/devices/${address}/${name}`, text]),
      );
    const found = readControllers(
      files({
        files: {
          ...device("0000:01:00.0", { class: "0x010802\n", vendor: "0x144d\n" }),
          ...device("0000:02:00.0", { class: "0x018000\n", vendor: "0x1af4\n" }),
          ...device("0000:03:00.0", { class: "0x010400\n", vendor: "0x1000\n", device: "0x005d\n" }),
          ...device("0000:04:00.0", { class: "nonsense" }),
        },
      }),
    );
    expect(found.map(({ kind, pci_id }) => [kind, pci_id])).toEqual([["raid", "1000:005d"]]);
  });
});
