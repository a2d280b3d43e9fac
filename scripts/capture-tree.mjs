/**
 * Captures what the collectors read of a running Linux machine as a fixture tree (format: test/support/tree.ts):
 *
 *     node capture-tree.mjs ["how and where it was captured"] > test/fixtures/trees/NAME/captured.tree.json
 *
 * One file, plain JavaScript, no packages, Node 20 or newer, so that it can be copied to any machine; run it as
 * root, because an unprivileged capture lacks serial numbers. Nothing is asked of a device but what its drivers
 * keep in memory and its temperature. The machine id is replaced by a made-up one, passwords in fstab are
 * blanked and only `container=` is taken of an environment; host name, addresses and serial numbers of the
 * hardware stay, so look through the result before you publish it.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, posix } from "node:path";

const MAX_FILE = 8 * 1024;
const MAX_TOTAL = 600 * 1024;
/** Made up; what a machine id looks like. */
const MACHINE_ID = "0123456789abcdef0123456789abcdef\n";

/** Files with their content (links on the way are kept as links), folders and links by their being there. */
const CONTENT = [
  "/etc/{fstab,hosts,localtime,machine-id,os-release,resolv.conf,timezone}",
  "/proc/{cpuinfo,diskstats,loadavg,meminfo,stat,swaps,uptime,vmstat}",
  "/proc/1/{cgroup,comm,environ}",
  "/proc/device-tree/{model,compatible,serial-number,hypervisor/compatible}",
  "/proc/device-tree/chosen/{bootloader/rsts,power/power_reset}",
  "/proc/net/{dev,if_inet6,ipv6_route,route,vlan/*}",
  "/proc/pressure/{cpu,io,memory}",
  "/proc/self/{mountinfo,ns/cgroup}",
  "/proc/sys/kernel/{arch,domainname,hostname,osrelease,version,random/boot_id}",
  "/proc/xen/capabilities",
  "/run/reboot-required{,.pkgs}",
  "/run/{host/container-manager,systemd/container,systemd/resolve/resolv.conf}",
  "/run/udev/data/b*",
  "/sys/block/*/{dev,diskseq,removable,ro,serial,size,stat,wwid}",
  "/sys/block/*/queue/{logical_block_size,physical_block_size,rotational}",
  "/sys/block/*/device/{cid,date,firmware_rev,fwrev,life_time,manfid,model,name,pre_eol_info,rev,serial,state}",
  "/sys/block/*/device/{subsysnqn,transport,type,vendor,vpd_pg80,wwid,nvme*}",
  "/sys/block/*/{dm/name,dm/uuid,md/degraded,md/level,slaves/*}",
  "/sys/block/*/*/{dev,partition,ro,size,start}",
  "/sys/bus/pci/slots/*/address",
  "/sys/class/block/*",
  "/sys/class/dmi/id/{bios_date,bios_vendor,bios_version,board_name,board_serial,board_vendor,board_version}",
  "/sys/class/dmi/id/{chassis_asset_tag,chassis_serial,chassis_type,chassis_vendor}",
  "/sys/class/dmi/id/{product_name,product_serial,product_uuid,product_version,sys_vendor}",
  "/sys/class/enclosure/*/{id,device/model,device/vendor,*/device,*/slot}",
  "/sys/class/hwmon/*/{device,name,in0_lcrit_alarm,temp*_crit,temp*_input,temp*_label}",
  "/sys/class/net/*/{addr_assign_type,address,carrier,carrier_changes,duplex,flags,ifindex,mtu,operstate,speed}",
  "/sys/class/net/*/{type,uevent,device/driver,master,lower_*,brif/*,bridge,phy80211,wireless}",
  "/sys/class/net/*/{bonding/active_slave,bonding/mode,bonding_slave/perm_hwaddr}",
  "/sys/class/nvme/*/{address,state,transport}",
  "/sys/class/sas_device/*/{bay_identifier,enclosure_identifier,sas_address}",
  "/sys/class/thermal/thermal_zone*/{temp,trip_point_*_temp,trip_point_*_type,type}",
  "/sys/class/watchdog/*/bootstatus",
  "/sys/dev/block/*",
  "/sys/devices/platform/soc/soc:firmware/get_throttled",
  "/sys/devices/system/clocksource/clocksource0/available_clocksource",
  "/sys/devices/system/cpu/online",
  "/sys/devices/system/cpu/cpu*/topology/{core_id,physical_package_id}",
  "/sys/devices/system/cpu/cpu*/thermal_throttle/package_throttle_count",
  "/sys/devices/system/cpu/cpufreq/policy*/{cpuinfo_max_freq,cpuinfo_min_freq,scaling_cur_freq,scaling_governor}",
  "/sys/devices/system/edac/mc/mc*/{ce_count,mc_name,ue_count}",
  "/sys/devices/system/edac/mc/mc*/*/{dimm_ce_count,dimm_label,dimm_location,dimm_ue_count}",
  "/sys/fs/ext4/*/{errors_count,first_error_time}",
  "/sys/fs/pstore/dmesg-*",
  "/sys/hypervisor/type",
  "/sys/kernel/uevent_seqnum",
];

/** What matters by being there: kept as empty files. */
const PRESENCE = [
  "/.dockerenv",
  "/boot/vmlinu*",
  "/lib/modules/*/kernel",
  "/proc/{bc,vz}",
  "/run/{.containerenv,chrony,chronyd.pid,ntpd.pid,openntpd.sock,systemd/timesync,systemd/timesync/synchronized}",
];

/** Folders that a collector lists although they may be empty. */
const FOLDERS = ["/sys/block", "/sys/class/hwmon", "/sys/class/net", "/sys/fs/pstore", "/run/udev/data"];

/** Links of the kernel that lead to the process which looks: walked as the folders they stand for. */
const AS_FOLDER = new Set(["/proc/self", "/proc/net"]);
/** Their modification time is part of what is reported. */
const TIMED = /^\/(?:boot\/|etc\/os-release|usr\/lib\/os-release|run\/reboot-required|sys\/fs\/pstore\/)/;
/** Not drives, and there are many of them: their names do. */
const NAMES_ONLY = /^\/sys\/(?:class\/)?block\/(?:loop|ram)\d+\//;

const tree = {
  about: "",
  files: {},
  links: {},
  folders: [],
  errors: {},
  addresses: [],
  now: Date.now(),
  times: {},
};
const folders = new Set();
let total = 0;
let leftOut = 0;

/** `/a/{b,c}/d` → `/a/b/d`, `/a/c/d`; the first braces first, none inside others. */
function alternatives(pattern) {
  const found = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern);
  if (found === null) return [pattern];
  return found[2].split(",").flatMap((choice) => alternatives(found[1] + choice + found[3]));
}

/** Paths that are there, `*` standing for any part of a name. */
function expand(pattern) {
  let paths = [""];
  for (const part of pattern.split("/").slice(1)) {
    if (!part.includes("*")) paths = paths.map((path) => `${path}/${part}`);
    else {
      const wanted = new RegExp(
        `^${part
          .split("*")
          .map((text) => text.replace(/[.+^$()|[\]\\]/g, "\\$&"))
          .join(".*")}$`,
      );
      paths = paths.flatMap((path) =>
        namesIn(path)
          .filter((name) => wanted.test(name))
          .map((name) => `${path}/${name}`),
      );
    }
  }
  return paths;
}

function namesIn(path) {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

/** Walk to a path, keeping every link on the way; the path with all links followed, or null when it leads nowhere. */
function walk(path) {
  let real = "";
  const parts = path.split("/").slice(1);
  for (let steps = 0; parts.length > 0; steps++) {
    if (steps > 200) return null;
    const at = posix.join(real === "" ? "/" : real, parts.shift());
    const info = infoOf(at, lstatSync);
    if (info === null) return null;
    if (!info.isSymbolicLink() || AS_FOLDER.has(at)) {
      real = at;
      continue;
    }
    const target = readlinkSync(at);
    // Not a place but an identity: cgroup:[4026531835].
    if (target.includes(":[")) {
      tree.links[at] = target;
      return null;
    }
    const absolute = posix.resolve(dirname(at), target);
    tree.links[at] = target.startsWith("/") ? posix.relative(dirname(at), absolute) : target;
    parts.unshift(...absolute.split("/").slice(1));
    real = "";
  }
  return real;
}

function infoOf(path, ask) {
  try {
    return ask(path);
  } catch {
    return null;
  }
}

function capture(path) {
  if (NAMES_ONLY.test(path)) return;
  const real = walk(path);
  if (real === null) return;
  if (tree.errors[real] !== undefined) tree.errors[path] = tree.errors[real];
  if (tree.files[real] !== undefined) return;
  const info = infoOf(real, statSync);
  if (info === null) return;
  if (info.isDirectory()) folders.add(real);
  else if (info.isFile()) keep(real, info);
  // Errors are looked up by the path that is asked for, which may have links in it.
  if (tree.errors[real] !== undefined) tree.errors[path] = tree.errors[real];
}

function keep(path, info) {
  let content;
  try {
    content = redacted(path, readBytes(path));
  } catch (error) {
    tree.files[path] = "";
    tree.errors[path] = error.code ?? "EIO";
    return;
  }
  if (total + content.length > MAX_TOTAL) {
    leftOut++;
    return;
  }
  total += content.length;
  tree.files[path] = asJson(content);
  if (TIMED.test(path)) tree.times[path] = Math.floor(info.mtimeMs);
}

/** At most MAX_FILE bytes; of a longer text only whole lines. */
function readBytes(path) {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!fstatSync(fd).isFile()) return Buffer.alloc(0);
    const buffer = Buffer.alloc(MAX_FILE);
    let length = 0;
    while (length < MAX_FILE) {
      const got = readSync(fd, buffer, length, MAX_FILE - length, null);
      if (got === 0) break;
      length += got;
    }
    const end = length < MAX_FILE ? length : buffer.lastIndexOf("\n") + 1 || length;
    return buffer.subarray(0, end);
  } finally {
    closeSync(fd);
  }
}

function redacted(path, content) {
  if (path === "/etc/machine-id") return Buffer.from(MACHINE_ID);
  // A crash record's first line says whether it was a panic; the rest is the kernel's log.
  if (path.startsWith("/sys/fs/pstore/")) return content.subarray(0, Math.min(64, content.indexOf("\n") + 1));
  if (path === "/etc/fstab")
    return Buffer.from(content.toString().replace(/((?:pass\w*|secret|cred\w*|key)=)[^,\s]*/gi, "$1x"));
  if (path === "/proc/1/environ")
    return Buffer.from(/(?:^|\0)(container=[^\0]*)/.exec(content.toString())?.[1] ?? "");
  return content;
}

/** Text where nothing is lost by it, else base64. */
function asJson(content) {
  const text = content.toString("utf8");
  const plain = Buffer.from(text, "utf8").equals(content) && !/[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text);
  return plain ? text : { base64: content.toString("base64") };
}

/** Null where the kernel does not tell (a unit without AF_NETLINK), as for the collectors. */
function addresses() {
  let all;
  try {
    all = networkInterfaces();
  } catch {
    return null;
  }
  return Object.entries(all).flatMap(([name, list]) =>
    (list ?? []).map(({ address, cidr, family }) => ({
      interface: name,
      address,
      prefix: cidr ? Number(cidr.slice(cidr.lastIndexOf("/") + 1)) : 0,
      family: family === "IPv6" || family === 6 ? 6 : 4,
    })),
  );
}

function sorted(record) {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

for (const path of FOLDERS) if (infoOf(path, statSync)?.isDirectory()) folders.add(path);
for (const pattern of CONTENT.flatMap(alternatives)) for (const path of expand(pattern)) capture(path);
for (const pattern of PRESENCE.flatMap(alternatives))
  for (const path of expand(pattern)) {
    const info = infoOf(path, statSync);
    const real = info === null ? null : walk(path);
    if (info === null || real === null) continue;
    if (info.isDirectory()) folders.add(real);
    else {
      tree.files[real] = "";
      if (TIMED.test(real)) tree.times[real] = Math.floor(info.mtimeMs);
    }
  }

// A folder with something in it needs no mention.
const within = [...Object.keys(tree.files), ...Object.keys(tree.links)].sort();
tree.folders = [...folders].filter((folder) => !within.some((path) => path.startsWith(`${folder}/`))).sort();
for (const name of ["files", "links", "errors", "times"]) tree[name] = sorted(tree[name]);
tree.addresses = addresses();
const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(
  String(tree.files["/usr/lib/os-release"] ?? tree.files["/etc/os-release"] ?? ""),
)?.[1];
const user = process.getuid() === 0 ? "root" : "an unprivileged user";
tree.about = `Captured by scripts/capture-tree.mjs as ${user} on ${new Date(tree.now).toISOString().slice(0, 10)}: ${[
  process.argv[2],
  os,
  `kernel ${String(tree.files["/proc/sys/kernel/osrelease"] ?? "").trim()}`,
]
  .filter(Boolean)
  .join(", ")}. The machine id is made up.`;
if (leftOut > 0)
  process.stderr.write(`${leftOut} files were left out: the tree would be bigger than ${MAX_TOTAL} bytes\n`);
process.stdout.write(`${JSON.stringify(tree, null, 1)}\n`);
