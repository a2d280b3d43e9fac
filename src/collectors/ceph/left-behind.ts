/**
 * Hosts left behind in maintenance: noout holds a bucket none of whose OSDs is up. Nothing of Ceph ends that by itself,
 * and whoever set it may be the very host that never came back; so the others remember since when they see it. Pure.
 */
import * as v from "valibot";
import type { ConditionDraft } from "../../model/condition.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { span } from "../../model/text/span.ts";
import type { CephCluster } from "./schema.ts";

/** Milliseconds since the epoch by name of the bucket. */
export type LeftBehind = Readonly<Record<string, number>>;

const kept = v.record(
  v.pipe(v.string(), v.maxLength(256)),
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
);

/** Of a memory; a damaged one is an empty one. */
export function parseLeftBehind(memory: unknown): LeftBehind {
  const parsed = v.safeParse(kept, memory);
  return parsed.success ? parsed.output : {};
}

/** Those that still are, and since now those that newly are. A moment in the future was another clock's. */
export function rememberLeftBehind(
  before: LeftBehind,
  elsewhere: readonly { readonly bucket: string; readonly all_down: boolean }[],
  now: number,
): LeftBehind {
  return Object.fromEntries(
    elsewhere
      .filter(({ all_down }) => all_down)
      .map(({ bucket }) => [
        bucket,
        Math.min(now, Object.hasOwn(before, bucket) ? (before[bucket] as number) : now),
      ]),
  );
}

/** @param now, after milliseconds */
export function leftBehindConditions(
  elsewhere: CephCluster["noout_elsewhere"],
  now: number,
  after: number,
): ConditionDraft[] {
  return elsewhere.flatMap(({ bucket, since }) => {
    const long = since === null ? 0 : now - Date.parse(since);
    if (since === null || long < after) return [];
    return [
      {
        code: "ceph_foreign_noout",
        subject: bucket,
        severity: "warning",
        text: `Bucket ${bucket} of the cluster is kept in by noout, and none of its OSDs has been up for at least ${span(after)}: its host did not come back, or its maintenance was never ended.`,
        nextStep: `ceph osd unset-group noout ${shellWord(bucket)}  # when its host is given up: Ceph makes new copies of its data then`,
      },
    ];
  });
}
