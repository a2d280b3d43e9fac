/**
 * /proc/cpuinfo: one block a logical CPU, `key : value` lines, keys differing by architecture; on a
 * Raspberry Pi a last block names the board (`Revision`, `Serial`, `Model`).
 */
export interface CpuBlock {
  readonly processor: number;
  readonly fields: ReadonlyMap<string, string>;
}

export interface CpuInfo {
  /** Blocks with a `processor` number, in the file's order. */
  readonly processors: readonly CpuBlock[];
  /** Fields of the blocks without one (the board's, on ARM; the machine's, on POWER). */
  readonly board: ReadonlyMap<string, string>;
}

const MAX_PROCESSORS = 8192;

export function parseCpuInfo(text: string): CpuInfo {
  const processors: CpuBlock[] = [];
  const board = new Map<string, string>();
  let fields = new Map<string, string>();
  const close = (): void => {
    const processor = fields.get("processor");
    if (processor === undefined) for (const [key, value] of fields) board.set(key, value);
    else if (/^\d{1,6}$/.test(processor) && processors.length < MAX_PROCESSORS)
      processors.push({ processor: Number(processor), fields });
    fields = new Map();
  };
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0) {
      if (line.trim() === "") close();
      continue;
    }
    const key = line.slice(0, colon).trim();
    // Old ARM kernels name the model once, in a line `Processor : …` without a number: capital P, another key.
    if (key !== "" && key.length <= 64) fields.set(key, line.slice(colon + 1).trim());
  }
  close();
  return { processors, board };
}

/** `flags` of the first x86 CPU; null where the architecture has none (ARM's `Features` says nothing of hypervisors). */
export function x86Flags(info: CpuInfo): ReadonlySet<string> | null {
  const flags = info.processors[0]?.fields.get("flags");
  return flags === undefined ? null : new Set(flags.split(" "));
}
