import { createHash } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import type { Period } from "../export/plan.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import type { Box } from "../seal/secretbox.ts";

const saved = z.object({
  holdfast: z.literal("backfill/1"),
  /** Where to continue, in a closed box: a provider may put an id into its cursors. */
  cursor: z.string(),
  examined: z.int().min(0),
  total: z.int().min(0).nullable(),
});

/** How far a backfill has come: everyone listed before `cursor` is done. */
export interface Reached {
  readonly cursor: string;
  readonly examined: number;
  /** Number of identities to examine. Null if not counted. */
  readonly total: number | null;
}

/**
 * The position of one backfill, in the state directory. One file per source and period, or list of ids, so that no two mix. It only saves
 * requests: without it the backfill starts over and finds in the catalog what is already kept.
 */
export class Position {
  readonly #path: string;
  readonly #box: Box;

  /**
   * @param source its name in the config
   * @param list the digest of a given list of ids, where the backfill is of that
   */
  constructor(state: string, source: string, period: Period, box: Box, list?: string) {
    const { from, to, statuses } = period;
    // As it was before a client could have several sources, when the only one was called passbase.
    const own = source === "passbase" ? [] : [source];
    const name = JSON.stringify([
      from?.toString(),
      to?.toString(),
      [...(statuses ?? [])].sort(),
      ...own,
      ...(list ? [{ list }] : []),
    ]);
    const hash = createHash("sha256").update(name).digest("hex").slice(0, 12);
    this.#path = join(state, `backfill-${hash}.json`);
    this.#box = box;
  }

  /** Undefined if it is missing, unreadable or invalid. */
  load(): Reached | undefined {
    try {
      const { cursor, examined, total } = saved.parse(JSON.parse(readFileSync(this.#path, "utf8")));
      return { cursor: this.#box.open(cursor, "cursor"), examined, total };
    } catch {
      return undefined;
    }
  }

  save({ cursor, examined, total }: Reached): void {
    const text = JSON.stringify({ holdfast: "backfill/1", cursor: this.#box.close(cursor, "cursor"), examined, total });
    makePrivateFolder(dirname(this.#path));
    this.#change(() => {
      writeFileSync(`${this.#path}.new`, `${text}\n`, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    });
  }

  /** Removes the position at the end. The next backfill starts over. */
  clear(): void {
    this.#change(() => rmSync(this.#path, { force: true }));
  }

  #change(work: () => void): void {
    try {
      work();
    } catch (cause) {
      throw new HoldfastError(
        "state",
        `cannot save the backfill's position to ${this.#path} (${(cause as NodeJS.ErrnoException).code})`,
        {
          cause,
          hint: "Check the state directory's free space and permissions, then run again. Nothing is lost.",
        },
      );
    }
  }
}
