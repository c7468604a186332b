import { statSync } from "node:fs";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CLIENT, type Workplace } from "../export/workplace.ts";
import { metricsPage } from "./metrics-page.ts";
import { holdfast, type Ran } from "./process.ts";
import { emailOf } from "./scale-vault.ts";

/** A large vault, and the sandbox whose people are in it. */
export interface Scene {
  readonly place: Pick<Workplace, "file" | "path">;
  readonly people: number;
  /** Changes these people at the provider. */
  change(which: readonly number[]): void;
}

/** What a row says: of a file, or of a process. */
export interface Figure {
  readonly size?: number;
  /** Processor seconds, user and system. */
  readonly cpu?: number;
  /** Maximum resident bytes. */
  readonly peak?: number;
}

type Row = (scene: Scene) => Promise<Figure>;

/** One person in so many is meant where a row is about some. */
const ONE_IN = 1000;

/**
 * What is measured on a large vault, in this order: a row leaves the vault as the next one needs it. They also make sure
 * that a command was about as many people as its row says.
 */
export const ROWS: Readonly<Record<string, Row>> = {
  "the log": async ({ place }) => ({ size: await sizeOf(place.path("vault")) }),
  rebuild: async ({ place }) => of(await holdfast("rebuild", place.file)),
  "the catalog": async ({ place }) => ({ size: statSync(place.path("state", CLIENT, "catalog.sqlite")).size }),
  status: async ({ place, people }) => {
    const ran = await holdfast("status", place.file);
    is("kept", told<{ log: { kept: { people: number } } }>(ran).log.kept.people, people);
    return of(ran);
  },
  report: async ({ place, people }) => {
    const ran = await holdfast("report", place.file, "--offline");
    is("open", told<{ horizon: { open: { objects: number } } }>(ran).horizon.open.objects, 4 * people);
    return of(ran);
  },
  "verify, the log alone": async ({ place, people }) => {
    const ran = await holdfast("verify", place.file, "--since", "2026-11-24");
    const { entries, logConfirmed } = told<{ entries: number; logConfirmed: boolean }>(ran);
    is("confirmed", logConfirmed && entries >= people, true);
    return of(ran);
  },
  "an extension planned, of 0.1 %": async ({ place, people }) => {
    const ran = await holdfast("retention extend", place.file, "--plan");
    is("due", told<{ subjects: number }>(ran, "plan").subjects, people / ONE_IN);
    return of(ran);
  },
  "the locks of 0.1 % extended": async ({ place, people }) => {
    const ran = await holdfast("retention extend", place.file);
    is("extended", told<{ objects: number }>(ran).objects, (4 * people) / ONE_IN);
    return of(ran);
  },
  "a person looked up by e-mail": async ({ place }) => {
    const ran = await holdfast("erasure assess", place.file, "--email", emailOf(0));
    is("found", told<{ records: number }>(ran, "people").records, 1);
    return of(ran);
  },
  "a retrieval by e-mail": async ({ place }) => {
    const asked = ["--case", "1", "--requested-by", "an auditor", "--reason", "a measurement"];
    const out = place.path(`bag-${Date.now()}`);
    return of(await holdfast("retrieve", place.file, "--email", emailOf(0), ...asked, "--out", out));
  },
  "a night without changes": (scene) => night(scene, 0),
  "a night with 0.1 % changed": (scene) => {
    const which = someOf(scene.people, 1);
    scene.change(which);
    return night(scene, which.length);
  },
  "0.1 % of relationships ended": async ({ place, people }) => {
    const table = place.path("ended.csv");
    const lines = someOf(people, 2).map((n) => `${emailOf(n)},2015-01-31\n`);
    await writeFile(table, `email,date\n${lines.join("")}`);
    return of(await holdfast("relationship end", place.file, "--csv", table, "--before-verification"));
  },
  "what is past its date": async ({ place, people }) => {
    const ran = await holdfast("retention purge", place.file);
    is("past", told<{ purge: unknown[] }>(ran).purge.length, people / ONE_IN);
    return of(ran);
  },
  "a scrape of the metrics page": async ({ place }) => {
    const { daemon, scrape } = await metricsPage(place);
    return { cpu: scrape, peak: daemon.meter.peak };
  },
};

async function night({ place, people }: Scene, changes: number): Promise<Figure> {
  const ran = await holdfast("export", place.file);
  const { changed, unchanged } = told<{ changed: number; unchanged: number }>(ran);
  is("changed", changed, changes);
  is("unchanged", unchanged, people - changes);
  return of(ran);
}

/** One in a thousand. Those with the rest 0 have objects. */
function someOf(people: number, rest: number): number[] {
  return Array.from({ length: people / ONE_IN }, (_, n) => n * ONE_IN + rest);
}

const of = ({ meter: { cpu, peak } }: Ran): Figure => ({ cpu, peak });

/** What a command says of its only client with --json. */
function told<T>({ stdout }: Ran, name = "clients"): T {
  return (JSON.parse(stdout) as Record<string, [T]>)[name]![0];
}

function is<T>(what: string, was: T, right: T): void {
  if (was !== right) throw new Error(`${what}: ${was} instead of ${right}`);
}

/** A vault in a directory has two names for the newest version of each object. */
async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const files = new Map<number, number>();
  for (const name of names) {
    const { ino, size } = await stat(join(folder, name));
    files.set(ino, size);
  }
  return files.values().reduce((sum, size) => sum + size, 0);
}
