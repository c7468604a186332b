import { openCheckpoint } from "../../audit/checkpoint.ts";
import { openNote, parseVerifier, type Verifier } from "../../audit/note.ts";
import { MAX_TOKEN, parseToken } from "../../audit/timestamp/token.ts";
import { HoldfastError } from "../../error.ts";
import { TAG_MANIFEST } from "../bag/bagit.ts";
import {
  APPROVAL,
  CHECKPOINT,
  dataPath,
  entryPath,
  NOTE,
  noteText,
  REQUEST,
  RESEAL,
  RETRIEVAL,
  TIMESTAMP,
  VAULT,
} from "../bag/layout.ts";
import { checkApproval } from "./approval.ts";
import type { BagFile } from "./bag-file.ts";
import { type Check, type Problem, type Verdict, wordsOf } from "./finding.ts";
import { checkTold, handedOn } from "./handed-on.ts";
import { Json } from "./json.ts";
import { type LogEntry, readEntry } from "./log-entry.ts";
import { type Contents, checkContents, readSmall } from "./manifest.ts";
import { commitmentOf, parseRetrieval, type Retrieval } from "./retrieval.ts";
import { checkVersions, type SealedVersion } from "./sealed-record.ts";
import { instant } from "./words.ts";

/** A bag after everything was checked that takes no private key. */
export interface CheckedBag {
  /** Null where it cannot be read: then nothing can be shown. */
  readonly retrieval: Retrieval | null;
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  readonly problems: readonly Problem[];
  readonly leftBehind: readonly string[];
  readonly people: readonly CheckedPerson[];
  /** The key that everything was checked with. */
  readonly vkey: string | null;
  readonly trusted: boolean;
}

export interface CheckedPerson {
  readonly subject: string;
  readonly versions: readonly SealedVersion[];
  readonly trail: readonly LogEntry[];
}

const MAX_JSON = 64 * 1024 ** 2;
const MAX_SIGNATURE = 16 * 1024;
const MAX_NOTE = 1_000_000;

/** `trusted`: the log's key as the auditor has it from the client; null: the one in the bag has to do. */
export async function checkBag(
  files: readonly BagFile[],
  trusted: Verifier | null,
  said: (words: string) => void,
): Promise<CheckedBag> {
  const read = (done: number) => {
    if (done % 25 === 0) said(`Checking: ${done} of ${files.length} files read.`);
  };
  const reseal = files.some(({ path }) => path === RESEAL) ? await handedOn(files) : null;
  // Of a bag that was handed on the lists say that it is whole; what it proves, it proves as it was made.
  const outer = reseal === null ? null : await checkContents(files, read);
  const contents = await checkContents(reseal?.files ?? files, read);
  const told = reseal?.told && outer ? checkTold(reseal.told, outer, contents) : [];
  const problems: Problem[] = unique([
    ...[...(outer?.problems ?? []), ...(reseal?.problems ?? [])],
    ...[...contents.problems, ...told],
  ]);
  const inBag = await attempt(problems, VAULT, () => keyInBag(contents));
  const verifier = trusted ?? inBag;
  const agreed: Verdict = trusted === null ? "unsure" : "good";
  const whole = problems.length === 0;
  if (trusted !== null && inBag !== null && trusted.vkey !== inBag.vkey)
    problems.push({ path: VAULT, words: "It names another log key than the one that you trust." });

  const note = await attempt(problems, NOTE, () => checkNote(contents, need(verifier)));
  const head = await attempt(problems, CHECKPOINT, () => checkHead(contents, need(verifier)));
  const retrieval = await attempt(problems, RETRIEVAL, async () =>
    parseRetrieval(await mustRead(contents, RETRIEVAL, MAX_JSON)),
  );
  const checks: Check[] = [
    keyCheck(trusted, inBag),
    {
      title: "Files",
      verdict: whole ? "good" : "bad",
      words: whole
        ? `All ${contents.files.size} files are there, none was added, and each has the digest that the bag lists.`
        : "Files are missing, were added or changed. They are named above.",
    },
    note === null
      ? { title: "Signature over the bag", verdict: "bad", words: "The list of files is not signed by the log's key." }
      : { title: "Signature over the bag", verdict: agreed, words: note },
    head === null
      ? { title: "Signature of the log", verdict: "bad", words: "The log's checkpoint is not signed by the log's key." }
      : { title: "Signature of the log", verdict: agreed, words: head },
  ];
  const common = { leftBehind: contents.leftBehind, vkey: verifier?.vkey ?? null, trusted: trusted !== null };
  if (retrieval === null)
    return { ...common, retrieval, verdict: "bad", checks, problems: unique(problems), people: [] };

  const { entries, wanted } = await readEntries(retrieval, contents, verifier, problems, said);
  const proven = [...entries.values()].filter((entry) => entry.unproven === null).length;
  const people = retrieval.subjects.map((each) => ({
    subject: each.subject,
    versions: checkVersions(each, entries, contents, agreed, problems),
    trail: [...new Set([...each.trail, ...retrieval.lines])]
      .sort((a, b) => a - b)
      .flatMap((at) => entries.get(at) ?? []),
  }));
  const sealed = people.flatMap(({ versions }) => versions.flatMap((version) => [version, ...version.files]));
  const known = new Set(sealed.filter(({ purged }) => purged === null).map(({ key }) => dataPath(key)));
  for (const path of contents.files.keys()) {
    if (path.startsWith("data/") && !known.has(path))
      problems.push({ path, words: "It belongs to no record of this bag." });
  }
  const bad = sealed.filter(({ unproven }) => unproven !== null).length;
  const logged = await attempt(problems, RETRIEVAL, () => checkLogged(retrieval, entries, problems));
  checks.push(
    {
      title: "Lines of the log",
      verdict: proven === wanted ? agreed : "bad",
      words:
        proven === wanted
          ? `Each of the ${wanted} lines in this bag is proven to stand in the log.`
          : `${wanted - proven} of ${wanted} lines are missing, or not proven to stand in the log.`,
    },
    {
      title: "Records and files",
      verdict: bad === 0 ? agreed : "bad",
      words:
        bad === 0
          ? `Each of the ${known.size} sealed records and files is, to the byte, what the log says was stored.`
          : `${bad} of ${known.size} ${bad === 1 ? "is" : "are"} not shown to be what was stored, and not opened.`,
    },
    logged === null
      ? { title: "This retrieval", verdict: "bad", words: "The log tells of another retrieval than this bag does." }
      : { title: "This retrieval", verdict: agreed, words: logged },
  );
  const approved = retrieval.lines.flatMap((at) => entries.get(at) ?? []).filter(({ json }) => json.has("request"));
  if (approved.length > 0) {
    const said = await attempt(problems, APPROVAL, async () => {
      const request = await mustRead(contents, REQUEST, MAX_JSON);
      const signature = await mustRead(contents, APPROVAL, MAX_SIGNATURE);
      const approval = { request, sha256: contents.digests.get(REQUEST), signature };
      const origin = need(verifier).name;
      return (await Promise.all(approved.map((entry) => checkApproval(approval, entry, retrieval, origin))))[0]!;
    });
    checks.push({
      title: "Second person",
      verdict: said === null ? "bad" : agreed,
      words: said ?? "That a second person approved this retrieval, as the log says, is not shown.",
    });
  }
  if (reseal?.told)
    checks.push({
      title: "Handed on",
      verdict: problems.length === 0 ? agreed : "bad",
      words: `On ${instant(reseal.told.time)}, by its own word, this bag was sealed anew for ${reseal.told.to.join(", ")}. The keys that open it were exchanged, its contents were not: what is proven here is proven of the bag as it was made.`,
    });
  if (contents.files.has(TIMESTAMP)) {
    const time = await attempt(problems, TIMESTAMP, () => checkTime(contents));
    checks.push(
      time === null
        ? { title: "Time", verdict: "bad", words: "The time stamp is not one of this log's checkpoint." }
        : { title: "Time", verdict: "unsure", words: time },
    );
  }
  const failed = problems.length > 0 || checks.some(({ verdict }) => verdict === "bad");
  return { ...common, retrieval, verdict: failed ? "bad" : agreed, checks, problems: unique(problems), people };
}

function keyCheck(trusted: Verifier | null, inBag: Verifier | null): Check {
  const title = "The log's key";
  if (trusted === null) {
    if (inBag === null) return { title, verdict: "bad", words: "The bag names none." };
    return { title, verdict: "unsure", words: "It came out of the bag itself: nobody vouched for it." };
  }
  return trusted.vkey === inBag?.vkey
    ? { title, verdict: "good", words: "The one that you entered, and the same that the bag names." }
    : { title, verdict: "bad", words: "The bag names another key than the one that you entered." };
}

function need(verifier: Verifier | null): Verifier {
  if (verifier === null) throw new HoldfastError("unverified", "There is no key to check it with.");
  return verifier;
}

async function keyInBag(contents: Contents): Promise<Verifier> {
  const vault = Json.parse(await mustRead(contents, VAULT, MAX_JSON), "vault.json");
  return parseVerifier(vault.member("log").member("vkey").text());
}

async function checkNote(contents: Contents, verifier: Verifier): Promise<string> {
  const { text } = openNote(await mustRead(contents, NOTE, MAX_NOTE), [verifier]);
  if (text !== noteText(verifier.name, contents.digests.get(TAG_MANIFEST) ?? ""))
    throw new HoldfastError("unverified", "The signature is for another list of files than this one.");
  return "The list of files is signed by the log's key, as it is here.";
}

async function checkHead(contents: Contents, verifier: Verifier): Promise<string> {
  const { size, origin } = openCheckpoint(await mustRead(contents, CHECKPOINT, MAX_NOTE), verifier.name, [verifier]);
  return `The head of the log ${origin}, which has ${size} lines, is signed by the log's key.`;
}

/** What the stamp is of is checked here; whose it is takes certificates, which the command line has. */
async function checkTime(contents: Contents): Promise<string> {
  const { time, imprint } = parseToken(await mustRead(contents, TIMESTAMP, MAX_TOKEN));
  if (imprint !== contents.digests.get(CHECKPOINT))
    throw new HoldfastError("unverified", "It stamps something else than the log's checkpoint in this bag.");
  return `By a time stamp of this very checkpoint, the log and all that is proven here existed at the latest on ${instant(time)}. Whose stamp it is, this page does not check: holdfast verify with --tsa-ca does, and openssl, as README.txt says.`;
}

async function readEntries(
  { lines, subjects }: Retrieval,
  contents: Contents,
  verifier: Verifier | null,
  problems: Problem[],
  said: (words: string) => void,
): Promise<{ entries: Map<number, LogEntry>; wanted: number }> {
  const about = subjects.flatMap(({ records, trail }) => [...records.map(({ entry }) => entry), ...trail]);
  const indices = new Set([...lines, ...about]);
  const entries = new Map<number, LogEntry>();
  const checkpoint = contents.files.get(CHECKPOINT);
  const head = checkpoint ? new TextDecoder().decode(await readSmall(checkpoint, MAX_NOTE)) : "";
  for (const index of indices) {
    const read = await readEntry(contents.files, index, verifier, head);
    problems.push(...read.problems);
    if (read.entry !== null) entries.set(index, read.entry);
    if (entries.size % 25 === 0) said(`Checking: ${entries.size} of ${indices.size} lines of the log proven.`);
  }
  return { entries, wanted: indices.size };
}

/** That the log tells of this retrieval: who asked and why, by its commitment, and whom it is about. */
async function checkLogged(
  retrieval: Retrieval,
  entries: ReadonlyMap<number, LogEntry>,
  problems: Problem[],
): Promise<string> {
  const commitment = await commitmentOf(retrieval);
  const named = new Set<unknown>();
  for (const index of retrieval.lines) {
    const entry = entries.get(index);
    if (entry?.type !== "retrieval.prepared" || entry.json.member("commitment").value !== commitment) {
      problems.push({ path: entryPath(index), words: "This line does not tell of this retrieval." });
      throw new HoldfastError("unverified", "Case, requester or reason are not those that were logged.");
    }
    for (const subject of entry.json.member("subjects").items(5_000)) named.add(subject.value);
  }
  const told = retrieval.subjects.map(({ subject }) => subject);
  if (named.size !== told.length || !told.every((subject) => named.has(subject)))
    throw new HoldfastError("unverified", "The people in it are not those whom the log names.");
  return "Case, requester, reason and people are those that were logged when the bag was made.";
}

/** Null where it fails, and then the file is named. */
async function attempt<T>(problems: Problem[], path: string, check: () => Promise<T>): Promise<T | null> {
  try {
    return await check();
  } catch (error) {
    problems.push({ path, words: wordsOf(error) });
    return null;
  }
}

async function mustRead({ files }: Contents, path: string, most: number): Promise<Uint8Array> {
  const file = files.get(path);
  if (file === undefined) throw new HoldfastError("incomplete", "Missing.");
  return readSmall(file, most);
}

function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}\n${problem.words}`, problem])).values()];
}
