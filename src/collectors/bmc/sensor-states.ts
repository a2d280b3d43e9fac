/** States of each sensor type (IPMI 2.0, table 42-3) under ipmitool's names, by how bad they are. */
export type Severity = "ok" | "warning" | "critical";
export type Rows = Readonly<Partial<Record<Severity, readonly string[]>>>;

/** By sensor type, as ipmitool calls it. What a type has and no list names is ok. */
export const BY_TYPE: Readonly<Record<string, Rows>> = {
  "Physical Security": {
    critical: [
      "General Chassis intrusion",
      "Drive Bay intrusion",
      "I/O Card area intrusion",
      "Processor area intrusion",
      "System unplugged from LAN",
      "Unauthorized dock",
      "FAN area intrusion",
    ],
  },
  "Platform Security": {
    warning: [
      "Front Panel Lockout violation attempted",
      "Pre-boot password violation - user password",
      "Pre-boot password violation - setup password",
      "Pre-boot password violation - network boot password",
      "Other pre-boot password violation",
      "Out-of-band access password violation",
    ],
  },
  Processor: {
    warning: ["Disabled", "Throttled", "Correctable machine check error"],
    critical: [
      "IERR",
      "Thermal Trip",
      "FRB1/BIST failure",
      "FRB2/Hang in POST failure",
      "FRB3/Processor startup/init failure",
      "Configuration Error",
      "SM BIOS Uncorrectable CPU-complex Error",
      "Uncorrectable machine check exception",
    ],
  },
  "Power Supply": {
    critical: [
      "Failure detected",
      "Predictive failure",
      "Power Supply AC lost",
      "AC lost or out-of-range",
      "AC out-of-range, but present",
      "Config Error: Vendor Mismatch",
      "Config Error: Revision Mismatch",
      "Config Error: Processor Missing",
      "Config Error: Power Supply Rating Mismatch",
      "Config Error: Voltage Rating Mismatch",
      "Config Error",
    ],
  },
  "Power Unit": {
    warning: ["240VA power down", "Interlock power down"],
    critical: ["AC lost", "Soft-power control failure", "Failure detected", "Predictive failure"],
  },
  Memory: {
    warning: ["Correctable ECC", "Correctable ECC logging limit reached", "Throttled"],
    critical: [
      "Uncorrectable ECC",
      "Parity",
      "Memory Scrub Failed",
      "Memory Device Disabled",
      "Configuration Error",
      "Critical Overtemperature",
    ],
  },
  "Drive Slot / Bay": {
    warning: ["Rebuild In Progress"],
    critical: [
      "Drive Fault",
      "Predictive Failure",
      "In Critical Array",
      "In Failed Array",
      "Rebuild Aborted",
    ],
  },
  // Errors (offset 0) have names of their own; a hang (1) is called as the progress (2) it stopped in.
  "System Firmwares": {
    warning: [
      "Unrecoverable diskette failure",
      "Unrecoverable PS/2 or USB keyboard failure",
      "Removable boot media not found",
      "Unrecoverable video controller failure",
      "No video device selected",
    ],
    critical: [
      "No system memory installed",
      "No usable system memory",
      "Unrecoverable IDE device failure",
      "Unrecoverable system-board failure",
      "Unrecoverable hard-disk controller failure",
      "BIOS corruption detected",
      "CPU voltage mismatch",
      "CPU speed mismatch failure",
      "Unknown Error",
      "Unknown Hang",
    ],
  },
  "Event Logging Disabled": {
    warning: [
      "Correctable memory error logging disabled",
      "Event logging disabled",
      "All event logging disabled",
      "Log full",
      "Log almost full",
    ],
  },
  Watchdog1: {
    warning: ["OS Expired", "OS pre-timeout Interrupt"],
    critical: [
      "BIOS Reset",
      "OS Reset",
      "OS Shut Down",
      "OS Power Down",
      "OS Power Cycle",
      "OS NMI/Diag Interrupt",
    ],
  },
  "System Event": { critical: ["Undetermined system hardware failure"] },
  "Critical Interrupt": {
    warning: ["Software NMI", "Bus Correctable error", "Bus Degraded"],
    critical: [
      "NMI/Diag Interrupt",
      "Bus Timeout",
      "I/O Channel check NMI",
      "PCI PERR",
      "PCI SERR",
      "EISA failsafe timeout",
      "Bus Uncorrectable error",
      "Fatal NMI",
      "Bus Fatal Error",
    ],
  },
  Button: { warning: ["FRU Latch", "FRU Service"] },
  "Chip Set": { critical: ["Soft Power Control Failure", "Thermal Trip"] },
  "Cable / Interconnect": { critical: ["Config Error"] },
  "Boot Error": {
    warning: [
      "No bootable media",
      "Non-bootable disk in drive",
      "PXE server not found",
      "Invalid boot sector",
      "Timeout waiting for selection",
    ],
  },
  "OS Boot": { warning: ["Installation aborted", "Installation failed"] },
  "OS Critical Stop": {
    warning: ["PEF initiated soft shutdown", "Agent not responding"],
    critical: ["Error during system startup", "Run-time critical stop"],
  },
  "Slot / Connector": { warning: ["Interlock", "Device Removal Request"], critical: ["Fault Status"] },
  Watchdog2: {
    warning: ["Timer expired", "Timer interrupt"],
    critical: ["Hard reset", "Power down", "Power cycle"],
  },
  LAN: { warning: ["Heartbeat Lost"] },
  "Management Subsys Health": {
    warning: [
      "Sensor access degraded or unavailable",
      "Controller access degraded or unavailable",
      "Management controller off-line",
      "Management controller unavailable",
      "Sensor failure",
    ],
    critical: ["FRU failure"],
  },
  Battery: { warning: ["Low"], critical: ["Failed"] },
  "Version Change": {
    warning: [
      "Hardware incompatibility detected",
      "Firmware or software incompatibility detected",
      "Invalid or unsupported hardware version",
      "Invalid or unsupported firmware or software version",
    ],
  },
  "FRU State": { critical: ["Communication lost"] },
  // PICMG's and VITA's
  "IPMB Physical Link": {
    warning: ["IPMB-A enabled, IPMB-B disabled", "IPMB-A disabled, IPMB-B enabled"],
    critical: ["IPMB-A disabled, IPMB-B disabled"],
  },
  "FRU Temperature": {
    warning: ["At or below Lower Non-critical", "At or above Upper Non-critical"],
    critical: [
      "At or below Lower Critical",
      "At or below Lower Non-recoverable",
      "At or above Upper Critical",
      "At or above Upper Non-recoverable",
    ],
  },
};

/**
 * Types without a state worth a word: their names are needed to know them in front of a sensor's own name, and names of
 * states that they share with a type above are ok with them.
 */
export const ALWAYS_OK = [
  "Temperature",
  "Voltage",
  "Current",
  "Fan",
  "Cooling Device",
  "Other",
  "POST Memory Resize",
  "Module / Board",
  "Microcontroller",
  "Add-in Card",
  "Chassis",
  "Other FRU",
  "Terminator",
  "System Boot Initiated",
  "System ACPI Power State",
  "Platform Alert",
  "Entity Presence",
  "Monitor ASIC",
  "Session Audit",
];
