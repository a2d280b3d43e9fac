/**
 * Which paths scripts/test/capture-tree.mjs captures: those that src/collectors read. `*` stands for any part of
 * a name, braces for alternatives. A collector that reads something new adds it here.
 */
import { readdirSync } from "node:fs";

/** Files with their content (links on the way are kept as links), folders and links by their being there. */
export const CONTENT = [
  "/etc/{fstab,hosts,localtime,machine-id,os-release,resolv.conf,timezone}",
  "/lib/modules/*/pkgbase",
  "/etc/selinux/config",
  "/proc/{cmdline,cpuinfo,diskstats,loadavg,meminfo,stat,swaps,uptime,vmstat}",
  "/proc/1/{cgroup,comm,environ}",
  "/proc/device-tree/{model,compatible,serial-number,hypervisor/compatible}",
  "/proc/device-tree/chosen/bootloader/{build-timestamp,update-timestamp,version}",
  "/proc/device-tree/chosen/{bootloader/rsts,power/power_reset}",
  "/proc/net/{dev,if_inet6,ipv6_route,route,tcp,tcp6,vlan/*}",
  "/proc/pressure/{cpu,io,irq,memory}",
  "/proc/self/{mountinfo,ns/cgroup}",
  "/proc/sys/kernel/{arch,bootloader_type,domainname,hostname,osrelease,version,random/boot_id}",
  "/proc/spl/kstat/zfs/arcstats",
  "/proc/xen/capabilities",
  "/run/reboot-required{,.pkgs}",
  "/run/{host/container-manager,systemd/container,systemd/resolve/resolv.conf}",
  "/run/udev/data/{+pci:*,b*}",
  "/sys/block/*/{dev,diskseq,removable,ro,serial,size,stat,wwid}",
  "/sys/block/*/queue/{logical_block_size,physical_block_size,rotational}",
  "/sys/block/*/device/{cid,date,firmware_rev,fwrev,life_time,manfid,model,name,pre_eol_info,rev,serial,state}",
  "/sys/block/*/device/{subsysnqn,transport,type,vendor,vpd_pg80,wwid,nvme*}",
  "/sys/block/*/{dm/name,dm/uuid,md/degraded,md/level,slaves/*}",
  "/sys/block/*/*/{dev,partition,ro,size,start}",
  "/sys/bus/pci/devices/*/{class,device,driver,host*/scsi_host/*/*,subsystem_device,subsystem_vendor,vendor}",
  "/sys/bus/pci/slots/*/address",
  "/sys/class/block/*",
  "/sys/class/dmi/id/{bios_date,bios_vendor,bios_version,board_name,board_serial,board_vendor,board_version}",
  "/sys/class/dmi/id/{chassis_asset_tag,chassis_serial,chassis_type,chassis_vendor}",
  "/sys/class/dmi/id/{product_name,product_serial,product_uuid,product_version,sys_vendor}",
  "/sys/class/enclosure/*/{id,device/model,device/vendor,*/device,*/slot}",
  "/sys/class/hwmon/*/{curr*,device,energy*,fan*,in*,name,power*,temp*}",
  "/sys/class/ipmi/*/device/bmc/{firmware_revision,ipmi_version,manufacturer_id,product_id}",
  "/sys/class/net/*/{addr_assign_type,address,broadcast,carrier,carrier_changes,duplex,flags,ifalias,ifindex}",
  "/sys/class/net/*/{mtu,operstate,speed}",
  "/sys/class/net/*/{type,uevent,device/driver,master,lower_*,brif/*,bridge,phy80211,wireless}",
  "/sys/class/net/*/bonding/{active_slave,ad_aggregator,ad_partner_mac,mode,slaves}",
  "/sys/class/net/*/bonding_slave/{ad_actor_oper_port_state,ad_aggregator_id,mii_status,perm_hwaddr}",
  "/sys/class/net/*/{parent,phys_port_name,tun_flags}",
  "/sys/class/net/*/device/{physfn,physfn/net/*}",
  "/sys/class/nvme/*/{address,state,transport}",
  "/sys/class/sas_device/*/{bay_identifier,enclosure_identifier,sas_address}",
  "/sys/class/thermal/thermal_zone*/{temp,trip_point_*_temp,trip_point_*_type,type}",
  "/sys/class/watchdog/*/bootstatus",
  "/sys/dev/block/*",
  "/sys/devices/platform/ipmi_bmc.*/{firmware_revision,ipmi_version,manufacturer_id,product_id}",
  "/sys/devices/platform/soc/soc:firmware/get_throttled",
  "/sys/devices/system/clocksource/clocksource0/available_clocksource",
  "/sys/devices/system/cpu/online",
  "/sys/devices/system/cpu/cpu*/topology/{core_id,physical_package_id,thread_siblings_list}",
  "/sys/devices/system/cpu/cpu*/thermal_throttle/package_throttle_count",
  "/sys/devices/system/cpu/cpufreq/policy*/{cpuinfo_max_freq,cpuinfo_min_freq,scaling_cur_freq,scaling_governor}",
  "/sys/devices/system/edac/mc/mc*/{ce_count,mc_name,ue_count}",
  "/sys/devices/system/edac/mc/mc*/*/{dimm_ce_count,dimm_label,dimm_location,dimm_ue_count}",
  "/sys/fs/ext4/*/{errors_count,first_error_time}",
  "/sys/firmware/efi/efivars/SecureBoot-*",
  "/sys/fs/pstore/dmesg-*",
  "/sys/fs/selinux/enforce",
  "/sys/hypervisor/type",
  "/sys/kernel/mm/hugepages/*/nr_hugepages",
  "/sys/kernel/security/{apparmor/profiles,lockdown,lsm}",
  "/sys/kernel/uevent_seqnum",
  "/sys/module/apparmor/parameters/enabled",
];

/** What matters by being there: kept as empty files. */
export const PRESENCE = [
  "/.dockerenv",
  "/boot/{vmlinu,kernel-,Image-,image-}*",
  "/lib/modules/*/{kernel,modules.dep,vmlinuz}",
  "/proc/{bc,vz}",
  "/var/lib/dpkg/info/{linux-image,proxmox-kernel}-*.list",
  "/proc/device-tree/chosen/linux,booted-from-kexec",
  "/proc/device-tree/cpus/cpu-map/socket*",
  "/sys/firmware/acpi/tables/PPTT",
  "/sys/firmware/{acpi,dmi,efi,memmap}",
  "/{sbin,usr/local/sbin,usr/sbin}/lldpd",
  "/{run,var/run}/lldpd.socket",
  "/run/lldpd/lldpd.socket",
  "/run/{.containerenv,chrony,chronyd.pid,ntpd.pid,openntpd.sock,systemd/timesync,systemd/timesync/synchronized}",
];

/** Folders that a collector lists although they may be empty. */
export const FOLDERS = [
  "/sys/block",
  "/sys/class/hwmon",
  "/sys/class/net",
  "/sys/fs/pstore",
  "/run/udev/data",
];

/** Links of the kernel that lead to the process which looks: walked as the folders they stand for. */
export const AS_FOLDER = new Set(["/proc/self", "/proc/net"]);
/** Their modification time is part of what is reported. */
export const TIMED =
  /^\/(?:boot\/|lib\/modules\/|var\/lib\/dpkg\/info\/|etc\/os-release|usr\/lib\/os-release|run\/reboot-required|sys\/fs\/pstore\/)/;
/** Not drives, and there are many of them: their names do. */
export const NAMES_ONLY = /^\/sys\/(?:class\/)?block\/(?:loop|ram)\d+\//;

/** The paths that are there; a pattern without `*` is one path, there or not. */
export function matching(patterns) {
  return patterns.flatMap(alternatives).flatMap(expand);
}

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
