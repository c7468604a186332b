import assert from "node:assert/strict";
import type { Source } from "../../../../src/source/source.ts";
import { changed, collect, full, walk } from "../reading.ts";
import type { Asked, HttpProvider, HttpStage } from "./stage.ts";

/** One call that needs such a request. Every call is about this person. */
export function calling(
  source: Source,
  stage: HttpStage,
  index: number,
): Readonly<Record<Asked, () => Promise<unknown>>> {
  const id = stage.id(index);
  return {
    project: () => source.project(),
    list: () => walk(source),
    changes: () => changed(source, stage.now().subtract({ hours: 24 })),
    identity: () => full(source, id),
    part: () => full(source, id),
    file: async () => collect(await source.file(id, (await full(source, id)).files[0]!)),
    other: () => assert.fail("no call needs another request"),
  };
}

/** What a source can be asked for. */
export function askedOf({ list, changes }: HttpProvider["can"]): readonly Asked[] {
  return [
    ...(["project", "identity", "part", "file"] as const),
    ...(list ? (["list"] as const) : []),
    ...(changes ? (["changes"] as const) : []),
  ];
}
