import { decodeEntry, type RecordStored } from "../../../src/audit/entry.ts";
import type { Workplace } from "../../export/workplace.ts";
import type { Stored } from "./model.ts";

/** The vault's log, read from outside as it grows. */
export class Log {
  readonly #place: Workplace;
  #read = 0;

  constructor(place: Workplace) {
    this.#place = place;
  }

  /** What was stored according to the log since the last call. */
  async news(): Promise<Stored[]> {
    const { log, head } = await this.#place.log();
    const stored: Stored[] = [];
    for await (const { bytes } of log.entries(this.#read, head.size)) {
      const entry = decodeEntry(bytes);
      if (entry?.type === "record.stored") stored.push(storedBy(entry));
    }
    this.#read = head.size;
    return stored;
  }
}

function storedBy({ subject, object, updated, time, files }: RecordStored): Stored {
  return {
    ...{ subject, key: object.key, versionId: object.versionId },
    ...{ updated: Date.parse(updated) / 1000, stored: Date.parse(time) / 1000 },
    files: files.map(({ key, versionId, storedWith }) => ({ key, versionId, fresh: storedWith === undefined })),
  };
}
