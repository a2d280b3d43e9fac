/** Who this node is, as it registers. */
export interface Identity {
  /** HMAC-SHA-256 of /etc/machine-id with our salt, hex; never the raw id. */
  readonly machineId: string;
  /** Random, made together with the state: tells two copies of one disk apart. */
  readonly instance: string;
  /** Stable facts of the board, hashed one by one: `dmi:…`, `pi:…`, `mac:…`, `root:…`. */
  readonly fingerprint: readonly string[];
  readonly hostname: string;
  readonly serial: string | null;
  readonly macs: readonly string[];
  /** `x64` or `arm64`. */
  readonly arch: string;
  /** PRETTY_NAME of os-release. */
  readonly os: string;
  readonly agentVersion: string;
  readonly bootId: string;
  /** The state folder was empty or set aside at this start. */
  readonly stateLost: boolean;
}
