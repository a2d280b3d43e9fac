/** The shape of section `local`, and what of it those see who could not read the files themselves. */
import * as v from "valibot";

const HIDDEN = "Its file may not be read by everybody, so it is shown on control.sock only.";

export const localSchema = v.object({
  facts: v.array(
    v.object({
      name: v.pipe(v.string(), v.description("file name without .json")),
      data: v.pipe(
        v.nullable(v.record(v.string(), v.unknown())),
        v.description(
          "the file's JSON object, a number that no double can hold as its text; null where it is hidden",
        ),
      ),
      closed: v.pipe(
        v.optional(v.literal(true)),
        v.description("Not everybody on the node may read the file"),
      ),
      hidden: v.pipe(v.optional(v.string()), v.description("Why its data are not shown here")),
    }),
  ),
  problems: v.array(v.object({ file: v.string(), code: v.string(), text: v.string() })),
  closed_folder: v.pipe(
    v.optional(v.literal(true)),
    v.description("Not everybody on the node may see which files there are"),
  ),
});

export type Local = v.InferOutput<typeof localSchema>;

/** What everybody on the node could read by himself; names too where not everybody may list them. Pure. */
export function shownToOthers({ facts, problems, ...rest }: Local): Local {
  const isClosed = rest.closed_folder === true;
  return {
    ...rest,
    facts: facts.map((fact, index) => {
      const name = isClosed ? `fact ${index + 1}` : fact.name;
      return fact.closed === true ? { name, data: null, closed: true, hidden: HIDDEN } : { ...fact, name };
    }),
    problems: isClosed ? problems.map((one, index) => ({ ...one, file: `file ${index + 1}` })) : problems,
  };
}
