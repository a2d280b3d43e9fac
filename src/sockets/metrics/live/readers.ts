/** Every reader there is. Adding one: its file (reader.ts says what it may read), and one line here. */
import { conntrackReader } from "./conntrack.ts";
import { cpuTimeReader } from "./cpu-time.ts";
import { diskReader } from "./disks.ts";
import { interfaceReader } from "./interfaces.ts";
import { kernelReader } from "./kernel.ts";
import { memoryReader, pagingReader } from "./memory.ts";
import { netstatReader } from "./netstat.ts";
import { pressureReader } from "./pressure.ts";
import { raplReader } from "./rapl.ts";
import type { AnyReader } from "./reader.ts";
import { sockstatReader } from "./sockstat.ts";
import { softnetReader } from "./softnet.ts";

export function allReaders(): readonly AnyReader[] {
  return [
    cpuTimeReader(),
    kernelReader(),
    pressureReader(),
    memoryReader(),
    pagingReader(),
    diskReader(),
    interfaceReader(),
    raplReader(),
    netstatReader(),
    sockstatReader(),
    softnetReader(),
    conntrackReader(),
  ];
}
