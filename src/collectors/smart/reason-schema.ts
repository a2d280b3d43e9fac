/** What is read back from the state on the disk, apart from the rest of the section's shape: that is loaded late. */
import * as v from "valibot";

export const reasonSchema = v.object({
  code: v.pipe(v.string(), v.description("Stable: pending_sectors, smart_failed, spare_low")),
  params: v.pipe(
    v.optional(v.object({ count: v.optional(v.number()), attribute: v.optional(v.number()) })),
    v.description("What it counts, and the id of the ATA attribute it is about; missing where there is none"),
  ),
  acknowledged: v.pipe(
    v.optional(v.boolean()),
    v.description("Known and accepted as far as it has come (drives ack); missing where it is not"),
  ),
  detail: v.pipe(v.string(), v.description("One sentence or two, for people")),
});
