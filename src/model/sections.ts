/**
 * What other rooms may read of a section's data (a control API that maps drives, a command that looks one
 * up). Narrow on purpose: the collector's own type has more and must stay assignable to these, which the
 * compiler checks where the data is made.
 */

/** One drive of the section `drives` (`data.drives`); redacted data has null for whatever identifies it. */
export interface DriveFacts {
  /** Stays over reboots: `wwn-…`, else `serial-…`, else `path-…`. */
  readonly id: string;
  /** Kernel name of its first path: `sda`. Another one after the next boot. */
  readonly name: string;
  readonly model: string | null;
  readonly vendor: string | null;
  readonly serial: string | null;
  readonly firmware: string | null;
  readonly wwn: string | null;
  readonly size_bytes: number | null;
  readonly type: "nvme" | "ssd" | "hdd" | "mmc" | "virtual" | null;
  readonly transport: string | null;
  readonly rotational: boolean | null;
  readonly hotplug: boolean;
  readonly enclosure: string | null;
  readonly enclosure_model: string | null;
  readonly slot: string | null;
  readonly state: "online" | "degraded" | "offline" | null;
  readonly answering: boolean;
  readonly temperature_c: number | null;
  readonly paths: readonly {
    readonly name: string;
    readonly address: string | null;
    readonly state: string | null;
  }[];
  readonly holders: readonly {
    readonly name: string;
    readonly kind: string;
    readonly label: string | null;
    readonly on: string;
  }[];
  readonly mounts: readonly {
    readonly device: string;
    readonly mountpoint: string;
    readonly fstype: string;
    readonly read_only: boolean;
    readonly size_bytes: number | null;
    readonly used_bytes: number | null;
  }[];
}

/** One drive that was there and is gone (`data.missing`). */
export interface MissingDriveFacts {
  readonly id: string;
  readonly serial: string | null;
  readonly model: string | null;
  readonly last_name: string;
  readonly enclosure: string | null;
  readonly slot: string | null;
  readonly size_bytes: number | null;
  /** RFC 3339. */
  readonly since: string;
}

/** `data` of the section `drives`, as far as other rooms may rely on it. */
export interface DrivesFacts {
  readonly drives: readonly DriveFacts[];
  readonly missing: readonly MissingDriveFacts[];
}
