/** Cases: what an agent reviews. A case names its inquiry; the inquiry does not name its cases. */
import { course, personOf, time } from "./course.ts";
import { personaId } from "./id.ts";
import { traits } from "./inquiry.ts";
import { reportsOf } from "./report.ts";
import { ATTACHED } from "./slot.ts";
import type { Telling } from "./telling.ts";
import { one, type Wire } from "./wire.ts";
import type { World } from "./world.ts";

export function makeCase(world: World, telling: Telling, index: number): Wire | undefined {
  if (!traits(world, index).cased) return undefined;
  const { status, created, captured, updated } = course(world, index);
  const open = status === "needs_review";
  const redacted = world.childrenRedacted(index) !== undefined; // so is the attachment, which is the inquiry's picture
  return {
    type: "case",
    id: personaId(world.seed, "case", index),
    attributes: {
      status: open ? "open" : "resolved",
      name: `KCAS-${index + 1}`,
      resolution: open ? null : status,
      "created-at": time(created + 90_000),
      "updated-at": time(updated),
      "assigned-at": null,
      "resolved-at": open ? null : time(updated),
      "redacted-at": null,
      "sla-expires-at": null,
      "creator-id": null,
      "creator-type": null,
      "assignee-id": null,
      "assigner-id": null,
      "assigner-type": null,
      "resolver-id": null,
      "resolver-type": null,
      "updater-id": null,
      "updater-type": null,
      tags: [],
      fields: {},
      attachments: captured === undefined || redacted ? [] : [telling.file({ index, slot: ATTACHED })],
    },
    relationships: {
      "case-template": one("case-template", personaId(world.seed, "ctmpl", 0)),
      "case-queue": one("case-queue", personaId(world.seed, "cqueue", 0)),
      "case-comments": { data: [{ type: "case-comment", id: personaId(world.seed, "cscm", index) }] },
      accounts: { data: [{ type: "account", id: personaId(world.seed, "act", world.base(index)) }] },
      inquiries: { data: [{ type: "inquiry", id: personaId(world.seed, "inq", index) }] },
      reports: { data: telling.shuffle(reportsOf(world, index)) },
      verifications: { data: [] },
      txns: { data: [] },
    },
  };
}

export function makeCaseComment(world: World, index: number): Wire | undefined {
  if (!traits(world, index).cased) return undefined;
  const at = time(course(world, index).created + 120_000);
  return {
    type: "case-comment",
    id: personaId(world.seed, "cscm", index),
    attributes: {
      message: `Spoke to ${personOf(world, index).family}`,
      "created-at": at,
      "updated-at": at,
      "commenter-id": "agent-7",
      "commenter-type": "user",
    },
  };
}
