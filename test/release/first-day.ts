import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import type { Ended } from "../cli/program.ts";
import type { Workplace } from "../export/workplace.ts";

/** Runs `holdfast <args>` as installed. */
export type Installed = (...args: string[]) => Promise<Ended>;

/**
 * The steps of `npm run demo`, with an installed program: creates and checks a vault, exports everyone, verifies the
 * vault, hands out one person's copies and opens them. Asserts each step on the disk.
 */
export async function firstDay(holdfast: Installed, place: Workplace, people: number): Promise<void> {
  const config = ["--config", place.file];
  const done = async (...args: string[]): Promise<Ended> => {
    const ended = await holdfast(...args);
    assert.equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
    return ended;
  };
  await done("init", ...config);
  await done("doctor", ...config);
  const { json } = await done("export", ...config, "--json");
  assert.equal((json as { clients: { new: number }[] }).clients[0]!.new, people);
  await done("verify", ...config, "--read-data", "100");
  const stored = await place.stored();
  assert.equal(stored.size, people);
  const [subject] = [...stored.keys()];
  const why = ["--case", "2026-117", "--requested-by", "FIU", "--reason", "request"];
  await done("retrieve", ...config, ...why, "--subject", subject!, "--out", place.path("bag"));
  const page = await readFile("src/viewer/viewer.html");
  assert.deepEqual(await readFile(place.path("bag/viewer.html")), page, "the page of the bag");
  await done("verify", place.path("bag"));
  await done("open", place.path("bag"), "--key", place.officer.file, "--out", place.path("opened"));
  assert.ok((await stat(place.path("opened"))).isDirectory());
}
