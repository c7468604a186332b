/** What is exported in the comparison: invented people, all of the same size, the same for every contender. */
import { randomBytes } from "node:crypto";

export interface Workload {
  readonly people: number;
  /** Files per person, and bytes per file. */
  readonly files: number;
  readonly fileBytes: number;
}

/** Approximate bytes of a record before it is sealed. */
export const RECORD_BYTES = 4096;

export const objectsOf = ({ people, files }: Workload): number => people * (1 + files);

/** Plain sizes of all objects, in the order they are stored: each person's files, then the record. */
export function sizesOf({ people, files, fileBytes }: Workload): number[] {
  return Array.from({ length: people }, () => [...new Array<number>(files).fill(fileBytes), RECORD_BYTES]).flat();
}

const UPDATED = 1_795_428_900;
const id = (n: number, kind = 0): string =>
  `0b5e0000-${String(kind).padStart(4, "0")}-4000-8000-${String(n).padStart(12, "0")}`;
const json = JSON.stringify;

/** One person's answer. The remark pads the record, which contains it twice: as given and as parsed. */
export function identityText(n: number, { files }: Workload): string {
  const datapoints = {
    first_name: "Ada",
    last_name: "Specimen",
    date_of_birth: "1990-05-31",
    document_number: `X${n}`,
  };
  return json({
    ...{ id: id(n), status: "approved", created: UPDATED, updated: UPDATED, score: 0.9 },
    owner: { email: `person${n}@example.com`, first_name: "Ada", last_name: "Specimen" },
    resources: [{ type: "PASSPORT", datapoints }],
    metadata: { customer_id: `C${n}`, remark: "x".repeat(Math.max(0, 1249 - 95 * files)) },
    ...{
      watchlist: { clean: true, listings: {}, media: [], sources: [], types: [] },
      network: { ip_address: "192.0.2.1" },
    },
  });
}

export function resourcesText(n: number, { files }: Workload): string {
  const entry = (file: number) => ({
    ...{ id: id(n, file + 1), type: "document_image", page: file, created: UPDATED, updated: UPDATED },
  });
  const resource_files = Array.from({ length: files }, (_, file) => entry(file));
  const resource = { id: id(n, 9999), type: "PASSPORT", created: UPDATED, updated: UPDATED, resource_files };
  return json({ cursor: { next: null }, data: [resource] });
}

export const settingsText = json({ id: "bench", slug: "bench", environment: "sandbox" });

export function pageText(from: number, limit: number, workload: Workload): string {
  const to = Math.min(workload.people, from + limit);
  const texts = Array.from({ length: to - from }, (_, n) => identityText(from + n, workload));
  return `{"cursor":{"next":${to < workload.people ? json(String(to)) : "null"}},"data":[${texts.join(",")}]}`;
}

/** The number of the person with an id. */
export const personOf = (text: string): number => Number(text.slice(-12));

export const contentOf = (bytes: number): Buffer => randomBytes(bytes);
