/**
 * What is read when somebody asks for metrics: all readers (readers.ts), at most once a second, so that whoever scrapes
 * without end costs one look a second and not more.
 */
import type { Clock } from "../../../system/clock.ts";
import type { Files } from "../../../system/files.ts";
import { addFamily, type Families } from "../families.ts";
import { type AnyReader, type Look, MOST_ITEMS } from "./reader.ts";
import { allReaders } from "./readers.ts";

/** Nobody may change the families: they are shown until the next look. */
export interface LiveFamilies {
  readonly families: ReadonlyMap<string, NonNullable<ReturnType<Families["get"]>>>;
  /** Names of readers that broke. */
  readonly failed: readonly string[];
}

const KEPT_MS = 1000;
const USUAL_BYTES = 64 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;

/** Made without loading or reading anything: a daemon that nobody scrapes pays nothing. */
export function openLive(
  { files, clock }: { files: Files; clock: Clock },
  make: () => readonly AnyReader[] = () => allReaders(),
): (sections: ReadonlySet<string>) => LiveFamilies {
  let readers: readonly AnyReader[] | null = null;
  let kept: { at: number; of: string; found: LiveFamilies } | null = null;
  return (sections) => {
    const at = clock.monotonic();
    const of = [...sections].join(" ");
    if (kept !== null && kept.of === of && at - kept.at < KEPT_MS) return kept.found;
    readers ??= make();
    const found = lookAt(
      files,
      readers.filter(({ section }) => sections.has(section)),
    );
    kept = { at, of, found };
    return found;
  };
}

function lookAt(files: Files, readers: readonly AnyReader[]): LiveFamilies {
  const families: Families = new Map();
  const failed: string[] = [];
  const leftOut = new Map<string, number>();
  const text = remembered((path) => readAll(files, path));
  for (const { name, read, metrics } of readers) {
    const look: Look = {
      files,
      text,
      first(items) {
        leftOut.set(name, (leftOut.get(name) ?? 0) + Math.max(0, items.length - MOST_ITEMS));
        return items.length > MOST_ITEMS ? items.slice(0, MOST_ITEMS) : items;
      },
    };
    try {
      const data = read(look);
      if (data !== null) for (const metric of metrics) addFamily(families, metric, metric.samples(data));
    } catch {
      failed.push(name); // one bad reader must not cost the scrape
    }
  }
  addFamily(
    families,
    {
      name: "foundry_agent_scrape_left_out",
      help: `CPUs, disks, interfaces, ... of which no series are shown, because there are more than ${MOST_ITEMS}`,
      type: "gauge",
    },
    [...leftOut].map(([reader, value]) => ({ value, labels: { reader } })),
  );
  return { families, failed };
}

function remembered(read: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const text = read(path);
    known.set(path, text);
    return text;
  };
}

/** Most are short; a list that fills the buffer is read again with room for the largest machines. */
function readAll(files: Files, path: string): string {
  try {
    const text = files.read(path);
    return text.length < USUAL_BYTES / 2 ? text : files.read(path, MOST_BYTES);
  } catch {
    return "";
  }
}
