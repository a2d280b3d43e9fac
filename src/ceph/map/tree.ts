/**
 * The CRUSH hierarchy, as far as it says where this host's OSDs lie: the bucket right above each, and all above that.
 * Names with `~` are shadows of a device class: they are no places.
 */
import type { OsdTree } from "../command/answers.ts";

export type CrushNode = OsdTree["nodes"][number];

export interface CrushTree {
  readonly byId: ReadonlyMap<number, CrushNode>;
  /** Id of the bucket right above; none for a root. */
  readonly parents: ReadonlyMap<number, number>;
}

/** A node stands in one place; should an answer name two, the first holds. */
export function crushTree({ nodes }: OsdTree): CrushTree {
  const byId = new Map<number, CrushNode>();
  const parents = new Map<number, number>();
  for (const node of nodes) if (!node.name.includes("~") && !byId.has(node.id)) byId.set(node.id, node);
  for (const { id, children } of byId.values())
    for (const child of children) if (child !== id && !parents.has(child)) parents.set(child, id);
  return { byId, parents };
}

/** All above a node, the nearest first; ends where an answer goes in a circle. */
export function ancestors({ byId, parents }: CrushTree, id: number): CrushNode[] {
  const found: CrushNode[] = [];
  const seen = new Set([id]);
  for (let at = parents.get(id); at !== undefined && !seen.has(at); at = parents.get(at)) {
    seen.add(at);
    const node = byId.get(at);
    if (node === undefined) break;
    found.push(node);
  }
  return found;
}

/** The OSDs below a bucket, however deep. */
export function osdsBelow(tree: CrushTree, bucket: number): number[] {
  const found = new Set<number>();
  const seen = new Set<number>();
  const open = [bucket];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    if (at >= 0) found.add(at);
    else open.push(...(tree.byId.get(at)?.children ?? []));
  }
  return [...found].sort((a, b) => a - b);
}
