import { openCheckpoint } from "../audit/checkpoint.ts";
import { openNote, parseVerifier, type Verifier } from "../audit/note.ts";
import { MAX_TOKEN, parseToken } from "../audit/timestamp/token.ts";
import { TAG_MANIFEST } from "../bag/bagit.ts";
import {
  APPROVAL,
  bagNoteText,
  CHECKPOINT,
  dataPath,
  entryPath,
  NOTE,
  REQUEST,
  RESEAL,
  RETRIEVAL,
  TIMESTAMP,
  VAULT,
} from "../bag/layout.ts";
import { HoldfastError } from "../core/error.ts";
import { checkApproval } from "./approval.ts";
import { type BagFile, readSmall } from "./bag-file.ts";
import { type Check, type FileProblem, Findings, type Tried, type Verdict } from "./finding.ts";
import { instant, plural, bytes as sizeOf } from "./format.ts";
import { checkTold, handedOn } from "./handed-on.ts";
import { Json } from "./json.ts";
import { readEntry, type ShownEntry } from "./log-entry.ts";
import { type Contents, checkContents, digestIn, passOver } from "./manifest.ts";
import { commitmentOf, parseRetrieval, type Retrieval } from "./retrieval.ts";
import { checkVersions, type LogLines, type SealedObject, type SealedVersion } from "./sealed-record.ts";

/** A bag after everything was checked that takes no private key. */
export interface CheckedBag {
  /** Null where it cannot be read: then nothing can be shown. */
  readonly retrieval: Retrieval | null;
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  readonly problems: readonly FileProblem[];
  /** What could not be looked at here, and why. */
  readonly unchecked: readonly FileProblem[];
  /** What macOS or Windows left in the folder. */
  readonly ignored: readonly string[];
  readonly people: readonly CheckedPerson[];
  /** The key that everything was checked with. */
  readonly vkey: string | null;
  readonly trusted: boolean;
  /** The bag names another key than the one that was entered, so none of its signatures and proofs holds. */
  readonly otherKey: boolean;
}

export interface CheckedPerson {
  readonly subject: string;
  readonly versions: readonly SealedVersion[];
  readonly trail: readonly ShownEntry[];
}

const MAX_JSON = 64 * 1024 ** 2;
const MAX_SIGNATURE = 16 * 1024;
const MAX_NOTE = 1_000_000;

/** `trusted`: the log's key as the auditor has it from the client; null: the one in the bag has to do. */
export async function checkBag(
  all: readonly BagFile[],
  trusted: Verifier | null,
  said: (words: string) => void,
): Promise<CheckedBag> {
  const { files, ignored } = await passOver(all);
  const read = (done: number, { path, size }: BagFile, bytes: number) => {
    if (bytes < size) said(`Checking: ${path}, ${sizeOf(bytes)} of ${sizeOf(size)} read.`);
    else if (done % 25 === 0) said(`Checking: ${done} of ${files.length} files read.`);
  };
  const findings = new Findings();
  const reseal = files.some(({ path }) => path === RESEAL) ? await handedOn(files, findings) : null;
  // Of a bag that was handed on, the lists say that it is whole. What it proves is about the bag before that.
  const outer = reseal === null ? null : await checkContents(files, findings, read);
  const contents = await checkContents(reseal?.files ?? files, findings, read);
  if (reseal?.told && outer) checkTold(reseal.told, outer, contents, findings);
  const inBag = await findings.attempt(VAULT, () => keyInBag(contents));
  const verifier = trusted ?? inBag.value;
  const agreed: Verdict = trusted === null ? "unsure" : "good";
  const listed = filesCheck(contents.files.size, findings);
  const otherKey = trusted !== null && inBag.value !== null && trusted.vkey !== inBag.value.vkey;
  if (otherKey) findings.wrong(VAULT, "It names a different log key than the one that you entered.");

  const note = await findings.attempt(NOTE, () => checkNote(contents, need(verifier)));
  const head = await findings.attempt(CHECKPOINT, () => checkHead(contents, need(verifier)));
  const retrieval = await findings.attempt(RETRIEVAL, async () =>
    parseRetrieval(await mustRead(contents, RETRIEVAL, MAX_JSON)),
  );
  const checks: Check[] = [
    keyCheck(trusted, inBag),
    listed,
    checkOf("Signature over the bag", note, agreed, "The log's key did not sign this list of files."),
    checkOf("Signature of the log", head, agreed, "The log's key did not sign this state of the log."),
  ];
  const common = { ignored, vkey: verifier?.vkey ?? null, trusted: trusted !== null, otherKey, checks };
  if (otherKey || retrieval.value === null)
    return { ...common, ...verdictIn(findings, checks, agreed), retrieval: null, people: [] };

  const lines = await readEntries(retrieval.value, contents, verifier, findings, said);
  const { entries, wanted } = lines;
  const people = retrieval.value.subjects.map((each) => ({
    subject: each.subject,
    versions: checkVersions(each, lines, contents, agreed, findings),
    trail: [...new Set([...each.trail, ...retrieval.value.lines])]
      .sort((a, b) => a - b)
      .flatMap((at) => entries.get(at) ?? []),
  }));
  const sealed = people.flatMap(({ versions }) => versions.flatMap((version) => [version, ...version.files]));
  const known = new Set(sealed.filter(({ purged }) => purged === null).map(({ key }) => dataPath(key)));
  for (const path of contents.files.keys()) {
    if (!path.startsWith("data/") || known.has(path)) continue;
    if (lines.unread.size > 0)
      findings.notChecked(path, "The line of the log that may name it could not be read here.");
    else findings.wrong(path, "It belongs to no record of this bag.");
  }
  const logged = await findings.attempt(RETRIEVAL, () => checkLogged(retrieval.value, lines, findings));
  checks.push(
    linesCheck([...entries.values()], wanted, lines.unread.size, agreed),
    sealedCheck(sealed, known.size, agreed),
    checkOf("This retrieval", logged, agreed, "The log tells of a different retrieval than this bag."),
  );
  const approved = retrieval.value.lines
    .flatMap((at) => entries.get(at) ?? [])
    .filter(({ json }) => json.has("request"));
  if (approved.length > 0) {
    const approval = await findings.attempt(APPROVAL, async () => {
      const request = await mustRead(contents, REQUEST, MAX_JSON);
      const signature = await mustRead(contents, APPROVAL, MAX_SIGNATURE);
      const given = { request, sha256: digestIn(contents, REQUEST), signature };
      const origin = need(verifier).name;
      return (await Promise.all(approved.map((entry) => checkApproval(given, entry, retrieval.value, origin))))[0]!;
    });
    const bad = "The log says that a second person approved this retrieval. This bag does not show it.";
    checks.push(checkOf("Second person", approval, agreed, bad));
  }
  if (reseal?.told)
    checks.push({
      title: "Handed on",
      verdict: verdictIn(findings, [], agreed).verdict,
      words: `According to the bag itself, it was re-encrypted for ${reseal.told.to.join(", ")} on ${instant(reseal.told.time)}. This changes which keys open it, and not its contents: what is proven here is about the bag as it was first made.`,
    });
  if (contents.files.has(TIMESTAMP)) {
    const time = await findings.attempt(TIMESTAMP, () => checkTime(contents));
    checks.push(checkOf("Time", time, "unsure", "The time stamp is not for this state of the log."));
  }
  return { ...common, ...verdictIn(findings, checks, agreed), retrieval: retrieval.value, people };
}

/** Of the whole: one thing that is wrong, and it is; one that was not checked, and no more is said than that. */
function verdictIn(findings: Findings, checks: readonly Check[], agreed: Verdict) {
  const { problems, unchecked } = findings;
  const has = (wanted: Verdict) => checks.some(({ verdict }) => verdict === wanted);
  const verdict: Verdict =
    problems.length > 0 || has("bad") ? "bad" : unchecked.length > 0 || has("unchecked") ? "unchecked" : agreed;
  return { verdict, problems, unchecked };
}

function checkOf(title: string, tried: Tried<string>, agreed: Verdict, bad: string): Check {
  if (tried.failed === null) return { title, verdict: agreed, words: tried.value };
  if (tried.failed === "bad") return { title, verdict: "bad", words: bad };
  return { title, verdict: "unchecked", words: `This could not be checked here. ${tried.words}` };
}

function filesCheck(count: number, { problems, unchecked }: Findings): Check {
  const title = "Files";
  if (problems.length > 0)
    return { title, verdict: "bad", words: "Files are missing, were added or changed. They are named above." };
  if (unchecked.length === 0) {
    const words = `All ${count} files are there, no file was added, and each has the SHA-256 that the bag lists.`;
    return { title, verdict: "good", words };
  }
  const missed = new Set(unchecked.map(({ path }) => path)).size;
  const words = `${plural(missed, "file was", "files were")} not checked, and ${missed === 1 ? "is" : "are"} named above. Of the rest nothing is missing, was added or changed.`;
  return { title, verdict: "unchecked", words };
}

function linesCheck(entries: readonly ShownEntry[], wanted: number, unread: number, agreed: Verdict): Check {
  const title = "Lines of the log";
  const proven = entries.filter((entry) => entry.unproven === null).length;
  const unchecked = unread + entries.filter((entry) => entry.unchecked).length;
  const bad = wanted - proven - unchecked;
  if (bad > 0) {
    const words = `${bad} of ${wanted} lines are missing, or not proven to be in the log.`;
    return { title, verdict: "bad", words };
  }
  if (unchecked > 0)
    return { title, verdict: "unchecked", words: `${unchecked} of ${wanted} lines could not be checked here.` };
  return { title, verdict: agreed, words: `Each of the ${wanted} lines in this bag is proven to be in the log.` };
}

function sealedCheck(sealed: readonly SealedObject[], known: number, agreed: Verdict): Check {
  const title = "Records and files";
  // Versions share files: each counts once.
  const count = (wanted: (object: SealedObject) => boolean) =>
    new Set(sealed.filter(wanted).map(({ key }) => key)).size;
  const unchecked = count((object) => object.unchecked);
  const bad = count((object) => object.unproven !== null && !object.unchecked);
  const said = (many: number, what: string) =>
    `${many} of ${known} ${many === 1 ? "is" : "are"} ${what}, and not opened.`;
  if (bad > 0) return { title, verdict: "bad", words: said(bad, "not shown to be what was stored") };
  if (unchecked > 0) return { title, verdict: "unchecked", words: said(unchecked, "not checked here") };
  const words = `Each of the ${known} sealed records and files is, to the byte, what the log says was stored.`;
  return { title, verdict: agreed, words };
}

function keyCheck(trusted: Verifier | null, { value: inBag, failed, words }: Tried<Verifier>): Check {
  const title = "The log's key";
  if (failed === "unchecked")
    return { title, verdict: "unchecked", words: `The key in the bag could not be read. ${words}` };
  if (trusted === null) {
    if (inBag === null) return { title, verdict: "bad", words: "The bag names no log key." };
    return { title, verdict: "unsure", words: "The key came from the bag itself: no one vouched for it." };
  }
  return trusted.vkey === inBag?.vkey
    ? { title, verdict: "good", words: "The key that you entered is the one that the bag names." }
    : { title, verdict: "bad", words: "The bag names a different key than the one that you entered." };
}

function need(verifier: Verifier | null): Verifier {
  if (verifier === null) throw new HoldfastError("state", "There is no key to check it with.");
  return verifier;
}

async function keyInBag(contents: Contents): Promise<Verifier> {
  const vault = Json.parse(await mustRead(contents, VAULT, MAX_JSON), "vault.json");
  return parseVerifier(vault.member("log").member("vkey").text());
}

async function checkNote(contents: Contents, verifier: Verifier): Promise<string> {
  const { text } = openNote(await mustRead(contents, NOTE, MAX_NOTE), [verifier]);
  if (text !== bagNoteText(verifier.name, digestIn(contents, TAG_MANIFEST)))
    throw new HoldfastError("unverified", "The signature is for another list of files than this one.");
  return "The log's key signed exactly this list of files.";
}

async function checkHead(contents: Contents, verifier: Verifier): Promise<string> {
  const { size, origin } = openCheckpoint(await mustRead(contents, CHECKPOINT, MAX_NOTE), verifier.name, [verifier]);
  return `The log's key signed this state of the log ${origin}, with ${size} lines.`;
}

/** What the stamp is of is checked here; whose it is takes certificates, which the command line has. */
async function checkTime(contents: Contents): Promise<string> {
  const { time, imprint } = parseToken(await mustRead(contents, TIMESTAMP, MAX_TOKEN));
  if (imprint !== digestIn(contents, CHECKPOINT))
    throw new HoldfastError("unverified", "It is not a stamp of the state of the log in this bag.");
  return `According to a time stamp of this state of the log, everything proven here existed at the latest on ${instant(time)}. This page does not check whose stamp it is: holdfast verify with --tsa-ca does, and openssl (see README.txt).`;
}

async function readEntries(
  { lines, subjects }: Retrieval,
  contents: Contents,
  verifier: Verifier | null,
  findings: Findings,
  said: (words: string) => void,
): Promise<LogLines & { readonly wanted: number }> {
  const about = subjects.flatMap(({ records, trail }) => [...records.map(({ entry }) => entry), ...trail]);
  const indices = new Set([...lines, ...about]);
  const entries = new Map<number, ShownEntry>();
  const unread = new Set<number>();
  // That it is missing, or cannot be read, is noted already.
  const checkpoint = await mustRead(contents, CHECKPOINT, MAX_NOTE).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => null,
  );
  for (const index of indices) {
    const { entry, failed } = await readEntry(contents.files, index, { verifier, checkpoint }, findings);
    if (entry !== null) entries.set(index, entry);
    else if (failed === "unchecked") unread.add(index);
    if (entries.size % 25 === 0) said(`Checking: ${entries.size} of ${indices.size} lines of the log proven.`);
  }
  return { entries, unread, wanted: indices.size };
}

/** That the log tells of this retrieval: who asked and why, by its commitment, and whom it is about. */
async function checkLogged(retrieval: Retrieval, { entries, unread }: LogLines, findings: Findings): Promise<string> {
  const commitment = await commitmentOf(retrieval);
  const named = new Set<unknown>();
  for (const index of retrieval.lines) {
    const entry = entries.get(index);
    if (unread.has(index)) throw new HoldfastError("state", "The line of the log that tells of it could not be read.");
    if (entry?.type !== "retrieval.prepared" || entry.json.member("commitment").value !== commitment) {
      findings.wrong(entryPath(index), "This line does not tell of this retrieval.");
      throw new HoldfastError("unverified", "Case, requester or reason differ from those that were logged.");
    }
    for (const subject of entry.json.member("subjects").items(5_000)) named.add(subject.value);
  }
  const told = retrieval.subjects.map(({ subject }) => subject);
  if (named.size !== told.length || !told.every((subject) => named.has(subject)))
    throw new HoldfastError("unverified", "The people in it differ from those whom the log names.");
  return "Case, requester, reason and people are the same as the log recorded when the bag was made.";
}

async function mustRead({ files }: Contents, path: string, most: number): Promise<Uint8Array> {
  const file = files.get(path);
  if (file === undefined) throw new HoldfastError("incomplete", "Missing.");
  return readSmall(file, most);
}
