/** A large vault: a night without changes, verify and rebuild. */
import { randomBytes } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { Secret } from "../../src/config/secret.ts";
import { Handles } from "../../src/record/handles.ts";
import { inOrder, parseIdentityPage, parseResourcePage } from "../../src/source/passbase/answers.ts";
import { Population } from "../sandbox/population.ts";
import { answer, BASE_PATH } from "../sandbox/routes.ts";
import { makeLogVault } from "./log-vault.ts";
import { holdfast, part, type Ran, server } from "./process.ts";
import type { Report } from "./report.ts";

const PAGE = 100;
/** What planning is compared with, on the machine that it runs on. */
export const PARSING = "JSON.parse of the same pages";
const OPTIONS = { pageSize: PAGE, files: false, withheld: () => false };

export async function night(report: Report, people: number, rounds: number): Promise<void> {
  const size = `${people.toLocaleString("en-US")} identities`;
  const group = `no-change night, ${size}`;
  await using sandbox = await server("../sandbox/main.ts", "--identities", String(people), "--no-files");
  const population = new Population(1, people);
  const pages = pagesOf(population);
  const lookupKey = randomBytes(32).toString("hex");
  const handles = new Handles(new Secret(lookupKey));
  let listed: ReturnType<typeof parseIdentityPage>["identities"] = [];
  const texts: string[] = [];
  await using vault = await makeLogVault({
    ...{ entries: people, objects: () => true, provider: { url: sandbox.url, apiKey: "sandbox-secret" } },
    record: (n, tokens) => {
      if (n % PAGE === 0) {
        texts.push(pages.next().value!);
        listed = parseIdentityPage(texts.at(-1)!).identities;
      }
      const { id, updated, raw } = listed[n % PAGE]!;
      const subject = tokens.subject("passbase", id);
      // As an export logs it: a night adds what only entries of record/1 lack.
      const found = { source: "passbase", handle: handles.close(subject, "passbase", id) };
      // Between two rounds it is someone's turn: asked for all that there is of them, they must be unchanged as well.
      const version = tokens.version(updated, { identity: raw, resources: resourcesOf(population, id) });
      return { subject, version, listed: tokens.listed(updated, raw), ...found };
    },
    lookupKey,
  });
  const { place } = vault;
  const [pagesFile, lengthsFile] = [place.path("pages"), place.path("lengths")];
  await using file = await open(pagesFile, "w");
  for (const text of texts) await file.write(text);
  await writeFile(lengthsFile, JSON.stringify(texts.map((text) => Buffer.byteLength(text))));
  texts.length = 0;

  for (let round = 0; round < rounds; round++) {
    const rebuilt = await holdfast("rebuild", place.file);
    report.add(`a log of ${size}`, "rebuild", "entries/s", people / rebuilt.seconds);
    // The first night after a rebuild parses everyone, and notes what the next ones need not parse.
    const first = await part("plan.ts", place.file, pagesFile, lengthsFile);
    report.add(group, "planning, first after a rebuild", "identities/s of one core", people / cpuOf(first));
    const planned = await part("plan.ts", place.file, pagesFile, lengthsFile);
    const { parse } = JSON.parse(planned.stdout) as { parse: number };
    report.add(group, "planning", "identities/s of one core", people / cpuOf(planned));
    report.add(group, PARSING, "identities/s of one core", people / parse);
    report.add(group, "planning, peak memory", "MB", planned.meter.peak / 1e6);
    const exported = await holdfast("export", place.file);
    const [summary] = (JSON.parse(exported.stdout) as { clients: { unchanged: number }[] }).clients;
    if (summary?.unchanged !== people) throw new Error(`${summary?.unchanged} of ${people} were unchanged`);
    report.add(group, "the whole export", "identities/s", people / exported.seconds);
    report.add(group, "the whole export, peak memory", "MB", exported.meter.peak / 1e6);
    const verified = await holdfast("verify", place.file);
    report.add(`a log of ${size}`, "verify, log and every object", "entries/s", people / verified.seconds);
    report.add(`a log of ${size}`, "verify, peak memory", "MB", verified.meter.peak / 1e6);
  }
}

/** Processor seconds of planning alone. */
const cpuOf = ({ stdout }: Ran): number => (JSON.parse(stdout) as { cpu: number }).cpu;

/** The provider's list, from a sandbox with the same number of people. */
function* pagesOf(population: Population): Generator<string, undefined> {
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = answer(population, new URL(`http://x${BASE_PATH}/identities?limit=${PAGE}&cursor=${cursor}`), OPTIONS);
    if (!("text" in page)) throw new Error("no page");
    yield page.text;
    cursor = (JSON.parse(page.text) as { cursor: { next: string | null } }).cursor.next;
  }
}

/** What the provider has of an identity beside itself, as an export reads it. */
function resourcesOf(population: Population, id: string): unknown[] {
  const resources = answer(population, new URL(`http://x${BASE_PATH}/identity/${id}/resources`), OPTIONS);
  if (!("text" in resources)) throw new Error("no resources");
  return inOrder(parseResourcePage(resources.text).data);
}
