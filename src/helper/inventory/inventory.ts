/**
 * `inventory`: memory modules, board, BIOS, chassis, power supplies, display adapters and network cards.
 *
 * Read from the kernel's own files, because the usual ways start programs: systeminformation would run about
 * 30 (shells, dmidecode several times, X11 tools) as root, with no time limit and no way to end them, and make
 * every start of the executable slower by its 740 KB. Here nothing is started, so nothing can hang.
 */
import * as v from "valibot";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import type { Operation } from "../operation.ts";
import { boardOf, dimmsOf, suppliesOf } from "./dmi.ts";
import { readPci } from "./pci.ts";
import type { Inventory } from "./schema.ts";
import { parseSmbios, type SmbiosStructure } from "./smbios.ts";

const TABLE = "/sys/firmware/dmi/tables/DMI";
/** The largest seen are 40 KB. */
const MAX_TABLE_BYTES = 1024 * 1024;

export const inventory: Operation<Record<never, never>, Inventory> = {
  name: "inventory",
  args: v.strictObject({}),
  timeoutMs: 10_000,
  lanes: () => [{ name: "inventory", limit: 1 }],
  policy: null,
  perform: async (_args, { files }) => readInventory(files),
};

/** @throws AgentError `inventory_not_allowed` when the table is there and this user may not read it */
export function readInventory(files: Files): Inventory {
  const structures = readTable(files);
  return {
    source: structures === null ? null : "smbios",
    ...boardOf(structures ?? []),
    dimms: dimmsOf(structures ?? []),
    power_supplies: suppliesOf(structures ?? []),
    ...readPci(files),
  };
}

/** Null: no SMBIOS here. */
function readTable(files: Files): SmbiosStructure[] | null {
  let bytes: Uint8Array;
  try {
    bytes = files.bytes(TABLE, MAX_TABLE_BYTES);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EACCES" || code === "EPERM")
      throw new AgentError(
        "inventory_not_allowed",
        `${TABLE} may not be read by this process`,
        "systemctl cat foundry-agent-helper.service",
        { cause: error },
      );
    return null;
  }
  const structures = parseSmbios(bytes);
  return structures.length === 0 ? null : structures;
}
