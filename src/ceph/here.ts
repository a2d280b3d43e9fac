/**
 * Whether OSDs are on this host, and which. Asked twice: by the main process, to which folders of Ceph are closed, and
 * by root, who can say no where the packages of Ceph are installed and no OSD is.
 */
import type { Files } from "../system/files.ts";
import { osdPresence } from "./osd-presence.ts";
import { localOsds } from "./osds.ts";

/** `yes`, `no`, or `unknown` with the reason: unknown counts as yes. */
export type OsdsHere =
  | { readonly is: "yes" /** As far as they can be told. */; readonly ids?: readonly number[] }
  | { readonly is: "no" }
  | { readonly is: "unknown"; readonly why: string };

/** Plain reads, no device is opened. Never throws. */
export function osdsHere(files: Files): OsdsHere {
  const presence = osdPresence(files);
  if (presence.is !== "yes") return presence;
  const ids = localOsds(files).map(({ id }) => id);
  return ids.length === 0 ? { is: "yes" } : { is: "yes", ids };
}

/** What both say together: a trace that one of them sees is there. @param root null: it was not asked, or did not say */
export function together(own: OsdsHere, root: OsdsHere | null): OsdsHere {
  if (root === null) return own;
  if (own.is === "yes" || root.is === "yes") {
    const ids = [own, root].flatMap((one) => (one.is === "yes" ? (one.ids ?? []) : []));
    return ids.length === 0 ? { is: "yes" } : { is: "yes", ids: [...new Set(ids)].sort((a, b) => a - b) };
  }
  // Root sees all that there is to see.
  return root;
}
