/** All that the API shows of one applicant. */
import {
  checksOf,
  makeApplicant,
  makeCheck,
  makeConsents,
  makeDocument,
  makeMatches,
  makeMedium,
  makeMonitor,
} from "./objects.ts";
import { makeReport, reportNames } from "./report.ts";
import { makeRun, makeTask, taskIds } from "./run.ts";
import { MEDIA, type Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

export function objectsOf(world: World, shelf: Shelf, index: number): readonly unknown[] {
  const run = makeRun(world, shelf, index, 0);
  const monitor = makeMonitor(world, index);
  return [
    makeApplicant(world, index),
    ...makeConsents(world, index),
    ...checksOf(world, index).flatMap((at) => [
      { ...makeCheck(world, index, at), form_uri: null },
      ...reportNames(world, index, at).map((_, number) => makeReport(world, shelf, index, 16 * at + number)),
    ]),
    ...shelf.documents(index).map((at) => makeDocument(world, shelf, index, at)),
    ...MEDIA.flatMap((medium) => shelf.media(medium, index).map((at) => makeMedium(world, shelf, medium, index, at))),
    ...(run ? [{ ...run, sdk_token: null }] : []),
    ...taskIds(world, index).map((id) => makeTask(world, shelf, index, id, true)),
    ...(monitor ? [monitor, ...makeMatches(world, index)] : []),
  ];
}
