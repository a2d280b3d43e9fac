/** Shape of the section `memory`. */
import * as v from "valibot";
import { pressureSchema } from "../linux/pressure.ts";
import { edacSchema } from "./edac.ts";

const bytes = v.nullable(v.number());

export const memorySchema = v.object({
  total_bytes: bytes,
  available_bytes: v.pipe(bytes, v.description("the kernel's estimate of what can be had without swapping")),
  free_bytes: bytes,
  buffers_bytes: bytes,
  cached_bytes: bytes,
  swap_total_bytes: bytes,
  swap_free_bytes: bytes,
  huge_pages: v.pipe(
    v.nullable(v.object({ total: v.number(), free: v.number(), size_bytes: v.number() })),
    v.description("of the default size; null: the kernel has none"),
  ),
  huge_bytes: v.pipe(
    bytes,
    v.description("in pools of huge pages of all sizes, which nothing else can use; null: not told"),
  ),
  zfs_cache: v.pipe(
    v.nullable(
      v.object({
        size_bytes: v.number(),
        min_bytes: v.pipe(v.number(), v.description("what it keeps; the rest is given back when needed")),
      }),
    ),
    v.description("null: no ZFS here"),
  ),
  pressure: v.pipe(v.nullable(pressureSchema), v.description("null: this kernel does not tell")),
  oom_kills: v.pipe(
    v.nullable(v.number()),
    v.description("processes killed since boot because memory ran out"),
  ),
  edac: v.pipe(
    v.nullable(edacSchema),
    v.description("null: no driver counts this machine's memory errors, which does not mean there are none"),
  ),
});
export type MemoryData = v.InferOutput<typeof memorySchema>;
