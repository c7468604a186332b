import { createHash, type Hash } from "node:crypto";
import { constants, openSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { addAbortSignal, Readable } from "node:stream";
import pMap from "p-map";
import { SubjectSet } from "../catalog/subject-set.ts";
import { HoldfastError } from "../core/error.ts";
import type { IdPage } from "../export/plan.ts";
import { readingFile } from "../io/file-error.ts";
import type { Source } from "../source/source.ts";
import type { Outcomes } from "./outcomes.ts";

/** Lines in a page: so many are asked about before the position moves on. */
const PAGE = 100;
/** Bytes of a line. No provider has longer ids. */
const LONGEST = 1_000;
/** Bytes that are read from standard input: they are held in memory, because they are read twice. */
const MOST_PIPED = 64 * 2 ** 20;

interface Line {
  /** From 1. */
  readonly number: number;
  /** Undefined if it is too long, or not UTF-8. */
  readonly text: string | undefined;
}

/** What the lines of a list are: the provider's ids, or references of the client's own. */
export type IdsAre = "ids" | "references";

/** What the lines of a list are. */
export interface ListCounts {
  readonly are: IdsAre;
  /** Lines that say something, and what they are: each id once, the same again, and what can be no id. */
  readonly lines: number;
  readonly distinct: number;
  readonly repeated: number;
  readonly malformed: number;
  /** How many of them the vault has already. Of references an estimate, by those chosen. */
  readonly kept: number;
  /** How many of the others were chosen for the estimate. */
  readonly asked: number;
}

interface ListSurvey extends ListCounts {
  /** Those chosen: fewer if they are references that no one has. */
  readonly ids: readonly string[];
}

/**
 * A list of ids or references from outside, one on a line. Empty lines, and lines that begin with #, say nothing. It is
 * read twice: once for its digest, by which an interrupted backfill knows it again, and once to ask.
 */
export class IdList {
  readonly are: IdsAre;
  /** Of all bytes, in hex. */
  readonly digest: string;
  /** Lines that say something. */
  readonly total: number;
  readonly #chunks: () => AsyncIterable<Uint8Array>;

  private constructor(are: IdsAre, digest: string, total: number, chunks: () => AsyncIterable<Uint8Array>) {
    this.are = are;
    this.digest = digest;
    this.total = total;
    this.#chunks = chunks;
  }

  /**
   * What is no regular file, such as a pipe, can be read only once: it is held in memory.
   * @param path `-` for standard input
   * @param signal ends the wait for a pipe that no one writes to
   * @throws HoldfastError "usage" if it cannot be read or has no line, "interrupted"
   */
  static async open(path: string, are: IdsAre, stdin: Readable, signal: AbortSignal): Promise<IdList> {
    const chunks =
      path === "-" || !isRegular(path)
        ? held(await piped(path === "-" ? stdin : openPipe(path), signal))
        : () => readingFile(path);
    const hash = createHash("sha256");
    let total = 0;
    for await (const _ of lines(hashing(chunks(), hash))) total += 1;
    if (total === 0)
      throw new HoldfastError("usage", `the list of ${are} is empty`, { hint: "Write one on each line." });
    return new IdList(are, hash.digest("hex"), total, chunks);
  }

  /**
   * Its ids in groups, each id once.
   * @param cursor of an earlier page
   * @param outcomes told which line each id is from, and what is known of lines without asking about anyone
   */
  async *pages(source: Pick<Source, "idOf">, cursor: string | null, outcomes: Outcomes): AsyncGenerator<IdPage> {
    using seen = new Seen();
    const after = cursor === null ? 0 : Number(cursor);
    const hash = createHash("sha256");
    for await (const page of paged(lines(hashing(this.#chunks(), hash)))) {
      const last = page.at(-1)!.number;
      if (last <= after) continue;
      const fresh = page.filter(({ number }) => number > after);
      const readable = fresh.filter((line): line is Line & { text: string } => isReadable(line.text));
      for (const { number } of fresh.filter(({ text }) => !isReadable(text))) outcomes.note(number, "malformed");
      const found = await this.#idsOf(source, readable);
      const ids: string[] = [];
      for (const { number, id } of found) {
        if (id === undefined) outcomes.note(number, "notFound");
        else if (!seen.isNew(id)) outcomes.note(number, "repeated");
        else {
          outcomes.expect(number, id);
          ids.push(id);
        }
      }
      const notFound = found.filter(({ id }) => id === undefined).length;
      yield { ids, malformed: fresh.length - readable.length, notFound, cursor: String(last) };
    }
    if (hash.digest("hex") !== this.digest)
      throw new HoldfastError("usage", `the list of ${this.are} was changed while it was read`, {
        hint: "Run it again with a list that stays as it is.",
      });
    yield { ids: [], malformed: 0, notFound: 0, cursor: null };
  }

  /**
   * What its lines are, and some of the ids that the vault does not have, chosen at random from the whole list, for an
   * estimate. Only the provider knows the id of a reference, so of references it looks only at those chosen.
   */
  async survey(
    source: Pick<Source, "idOf">,
    size: number,
    isKept: (id: string) => boolean,
    random: () => number = Math.random,
  ): Promise<ListSurvey> {
    using seen = new Seen();
    const chosen: (Line & { text: string })[] = [];
    let [distinct, malformed, kept] = [0, 0, 0];
    for await (const line of lines(this.#chunks())) {
      if (!isReadable(line.text)) malformed += 1;
      else if (seen.isNew(line.text)) {
        distinct += 1;
        if (this.are === "ids" && isKept(line.text)) {
          kept += 1;
          continue;
        }
        const at = chosen.length < size ? chosen.length : Math.floor(random() * (distinct - kept));
        if (at < size) chosen[at] = { ...line, text: line.text };
      }
    }
    const found = (await this.#idsOf(source, chosen)).flatMap(({ id }) => id ?? []);
    const ids = found.filter((id) => !isKept(id));
    const keptOfChosen = found.length - ids.length;
    return {
      are: this.are,
      lines: this.total,
      distinct,
      repeated: this.total - distinct - malformed,
      malformed,
      kept: keptOfChosen === 0 ? kept : Math.floor((distinct * keptOfChosen) / chosen.length),
      asked: chosen.length - keptOfChosen,
      ids,
    };
  }

  #idsOf(
    source: Pick<Source, "idOf">,
    asked: readonly (Line & { text: string })[],
  ): Promise<{ number: number; id: string | undefined }[]> {
    const idOf = async (text: string) => (this.are === "ids" ? text : await source.idOf!(text));
    return pMap(asked, async ({ number, text }) => ({ number, id: await idOf(text) }), { concurrency: 4 });
  }
}

/** What an id or a reference can be. The rest of a line with more in it would be lost, so it is no id. */
function isReadable(text: string | undefined): text is string {
  return text !== undefined && text.length <= 200 && /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(text);
}

/** Which ids were met, as digests, on the disk and not in memory. */
class Seen implements Disposable {
  readonly #set = new SubjectSet();

  isNew(id: string): boolean {
    const digest = createHash("sha256").update(id).digest("hex");
    if (this.#set.has(digest)) return false;
    this.#set.add([digest]);
    return true;
  }

  [Symbol.dispose](): void {
    this.#set.close();
  }
}

async function* hashing(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* paged(all: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let page: Line[] = [];
  for await (const line of all) {
    page.push(line);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const LF = 10;
  let number = 0;
  let held = Buffer.alloc(0);
  let isLong = false;
  const line = (): Line | undefined => {
    number += 1;
    const text = textOf(held);
    const isLonger = isLong;
    held = Buffer.alloc(0);
    isLong = false;
    if (text === "" || text?.startsWith("#")) return undefined;
    return { number, text: isLonger ? undefined : text };
  };
  const add = (part: Uint8Array): void => {
    const room = LONGEST - held.length;
    if (part.length > room) isLong = true;
    held = Buffer.concat([held, part.subarray(0, room)]);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      const read = line();
      if (read) yield read;
    }
    add(chunk.subarray(from));
  }
  const last = line();
  if (last) yield last;
}

/** Undefined if it is not UTF-8: with other characters put in, two references could become one. */
function textOf(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes).toString("latin1");
  if (text.trimStart().startsWith("#")) return "#";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch {
    return undefined;
  }
}

const held = (bytes: Uint8Array) =>
  async function* () {
    yield bytes;
  };

/** Whether it can be read twice. What does not exist is refused where it is read. */
function isRegular(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}

/** Opening a named pipe in the usual way waits for a writer, and then nothing can end this process. */
function openPipe(path: string): Readable {
  if (!statSync(path).isFIFO()) return Readable.from(readingFile(path));
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

async function piped(stdin: Readable, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of addAbortSignal(signal, stdin)) {
      size += (chunk as Uint8Array).length;
      if (size > MOST_PIPED)
        throw new HoldfastError("usage", "the list on standard input is larger than 64 MiB", {
          hint: "Write it to a file that only you can read, and name that.",
        });
      chunks.push(chunk as Uint8Array);
    }
  } catch (error) {
    if (signal.aborted) throw new HoldfastError("interrupted", "the backfill was interrupted while it read the list");
    throw error;
  }
  return Buffer.concat(chunks);
}
