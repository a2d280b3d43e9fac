/** What of Ceph's state is wrong for this host, and what happened. Pure. */
import type { ConditionDraft } from "../../model/condition.ts";
import type { EventDraft } from "../../model/event.ts";
import { clause, sentence } from "../../model/text/sentence.ts";
import type { CephData, CephOsd } from "./schema.ts";

export function cephConditions({ osds, problem }: CephData): ConditionDraft[] {
  return [...(problem === null ? [] : [notAsked(problem)]), ...osds.flatMap(ofOsd)];
}

/** Where nobody has set up yet that the cluster may be asked, nothing is wrong; it is worth knowing. */
function notAsked({ code, text, next_step }: NonNullable<CephData["problem"]>): ConditionDraft {
  const said = {
    text: sentence(`${clause(text)}, so the cluster is not asked about this host`),
    nextStep: next_step,
  };
  if (code === "no_ceph_cli") return { code: "no_ceph_cli", severity: "info", ...said };
  if (code === "ceph_no_conf" || code === "ceph_no_keyring")
    return { code: "ceph_not_set_up", severity: "info", ...said };
  return { code: "ceph_not_asked", severity: "warning", ...said };
}

function ofOsd({ id, ours, up, in: isIn }: CephOsd): ConditionDraft[] {
  const subject = `osd.${id}`;
  if (ours === false)
    return [
      {
        code: "ceph_osd_not_ours",
        subject,
        severity: "warning",
        text: `OSD ${id} of the cluster is another one than the one on this host: its id was used again, or the drive is of another cluster.`,
        nextStep: `ceph osd find ${id}`,
      },
    ];
  // One that is out has no data to lose; somebody is about to take it away.
  if (up !== false || isIn !== true) return [];
  return [
    {
      code: "ceph_osd_down",
      subject,
      severity: "warning",
      text: `OSD ${id} of this host is down and still counts as part of the cluster.`,
      nextStep: `systemctl list-units --all 'ceph*osd*${id}.service'`,
    },
  ];
}

/** What changed between two looks at the cluster. */
export function cephEvents(before: CephData | null, after: CephData): EventDraft[] {
  if (before?.cluster == null || after.cluster === null) return [];
  const was = new Map(before.osds.map((osd) => [osd.id, osd]));
  const health: EventDraft[] =
    before.cluster.health === after.cluster.health
      ? []
      : [
          {
            type: "ceph.health_changed",
            severity: after.cluster.health === "HEALTH_ERR" ? "warning" : "info",
            data: { before: before.cluster.health, after: after.cluster.health },
          },
        ];
  const osds = after.osds.flatMap((osd): EventDraft[] => {
    const old = was.get(osd.id);
    if (old === undefined || old.up === null || osd.up === null) return [];
    if (old.up === osd.up && old.in === osd.in) return [];
    const data = { osd: osd.id, up: osd.up, in: osd.in, drives: osd.drives };
    return [{ type: "ceph.osd_changed", severity: osd.up ? "info" : "warning", data }];
  });
  return [...health, ...osds];
}
