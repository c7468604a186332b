import { randomBytes } from "node:crypto";
import PQueue from "p-queue";
import { type Approval, isInTime, type Refusal } from "../approval/approval.ts";
import { Entries } from "../audit/entries.ts";
import type { RetrievalPrepared, Unlogged } from "../audit/entry.ts";
import { parseToken } from "../audit/timestamp/token.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError } from "../core/error.ts";
import { runId } from "../core/run-id.ts";
import { timestamp } from "../core/timestamp.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { Ledger } from "../held/ledger.ts";
import { defaultRetry, retrying } from "../io/retry.ts";
import { NoteWriter } from "../notes/store.ts";
import { encodeDescription } from "../vault/description.ts";
import {
  APPROVAL,
  CHECKPOINT,
  entryPath,
  proofPath,
  README,
  REQUEST,
  RETRIEVAL,
  TIMESTAMP,
  VAULT,
  VIEWER,
} from "./layout.ts";
import { readme } from "./readme.ts";
import type { ReadRetrievalRequest, RetrievalRequest, Versions } from "./request.ts";
import { commitment, type Request, type Retrieval } from "./retrieval.ts";
import { viewerPage } from "./viewer-page.ts";
import { type Numbered, wholeRecord } from "./whole-record.ts";
import { BagWriter } from "./writer.ts";

/** What a bag is to hold, for whom, and where it is made. */
export interface BagOptions {
  readonly subjects: readonly string[];
  readonly versions: Versions;
  readonly request: Request;
  /** Of a second person, where the client asks for it: then subjects, versions and request are those of it. */
  readonly approval?: Approval<RetrievalRequest> | undefined;
  readonly out: string;
}

export interface Prepared {
  readonly client: string;
  readonly out: string;
  readonly subjects: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Log entries of this retrieval. */
  readonly entries: readonly number[];
}

/** Subjects that one entry of the log names at most. */
const PER_ENTRY = 1000;

/**
 * Makes a bag of sealed objects and of the proofs of what the log says of them. Nothing is decrypted: there is no key.
 * That it was made is in the log, under the checkpoint that the bag holds, before the bag is whole.
 * Throws `usage` where there is nothing to hand out, `incomplete` for an object that is not as it was logged, `unverified` for
 * an entry that is not, `unapproved` where the approval ran out meanwhile; then nothing is left that looks like a bag.
 */
export async function prepareBag(
  held: HeldVault,
  { subjects, versions, request: { case: number, requestedBy, reason }, approval, out }: BagOptions,
  onObject: (done: number, total: number) => void,
): Promise<Prepared> {
  const { writer, catalog, signer, now, description } = held;
  const client = held.config.id;
  const request = { case: number, requestedBy, reason };
  const ledger = new Ledger({ ...held, run: runId(now()) });
  const bag = await BagWriter.begin(out);
  try {
    const chosen = subjects.map((subject) => ({ subject, records: choose(catalog, subject, versions) }));
    const empty = chosen.find(({ records }) => records.length === 0);
    if (empty) {
      throw new HoldfastError("usage", `${empty.subject} has no version of that time in the vault`, {
        hint: "Ask for a later --versions as-of:…, or for all.",
      });
    }
    const entries = new Entries(writer);
    const records = chosen.reduce((sum, each) => sum + each.records.length, 0);
    /** Of each subject, as it was counted. */
    const files: number[] = [];
    let done = 0;
    for (const { subject, records: own } of chosen) {
      const before = bag.payload.files;
      // The newest first: what was stored again is taken as it was stored last.
      for (const { entry, version } of own.toReversed()) {
        held.signal.throwIfAborted();
        await copy(bag, held, entries, { subject, version, index: entry });
        onObject(++done, records);
      }
      files.push(bag.payload.files - before - own.length);
    }
    const salt = approval?.request.salt ?? randomBytes(32).toString("hex");
    const at = now();
    if (approval && !isInTime(approval.request, at)) {
      await logRefusal(held, approval, "expired", ledger);
      throw new HoldfastError("unapproved", "the approval ran out while the bag was made", {
        hint: "Ask for the retrieval again, and have the new request signed.",
      });
    }
    const prepared = timestamp(at);
    const committed = commitment(request, salt);
    const notes = new NoteWriter(held, ledger);
    const storing = new PQueue({ concurrency: held.config.vault.concurrency });
    const words = { about: "retrieval" as const, ...request, salt };
    await storing.addAll(subjects.map((subject) => () => notes.store(subject, committed, words)));
    const logged: number[] = [];
    for (let first = 0; first < chosen.length; first += PER_ENTRY) {
      const part = chosen.slice(first, first + PER_ENTRY);
      const entry: Unlogged<RetrievalPrepared> = {
        type: "retrieval.prepared",
        subjects: part.map(({ subject }) => subject),
        records: part.reduce((sum, each) => sum + each.records.length, 0),
        files: files.slice(first, first + PER_ENTRY).reduce((sum, each) => sum + each, 0),
        commitment: committed,
        ...(approval && { request: approval.sha256, approvedBy: approval.approvedBy }),
      };
      logged.push(...(await ledger.log(entry, at)));
    }
    await ledger.flush();
    const retrieval: Retrieval = {
      holdfast: "bag/1",
      client,
      ...request,
      prepared,
      salt,
      retrieval: logged,
      subjects: chosen.map(({ subject, records: of }) => ({
        subject,
        records: of.map(({ version, entry }) => ({ version, entry })),
        trail: catalog.subjects.mentions(subject),
      })),
    };
    await writeEvidence(bag, entries, retrieval);
    await bag.tag(CHECKPOINT, writer.head.note);
    const token = await held.stamp();
    if (token) await bag.tag(TIMESTAMP, token);
    await bag.tag(VAULT, encodeDescription(description));
    await bag.tag(RETRIEVAL, `${JSON.stringify(retrieval, null, 2)}\n`);
    if (approval) {
      await bag.tag(REQUEST, approval.bytes);
      await bag.tag(APPROVAL, approval.signature);
    }
    await bag.tag(
      README,
      readme({ retrieval, name: held.config.company?.name ?? client, description, stamp: token && parseToken(token) }),
    );
    await bag.tag(VIEWER, await viewerPage());
    const { bytes, files: objects } = bag.payload;
    await bag.finish(
      [
        ["Source-Organization", client],
        ["External-Identifier", request.case],
        ["External-Description", "Sealed identity records, with proofs of what the audit log says of them"],
        ["Bagging-Date", prepared.slice(0, 10)],
      ],
      { signer, vkey: signer.verifier.vkey },
    );
    return { client, out, subjects: chosen.length, records, files: objects - records, bytes, entries: logged };
  } catch (error) {
    await bag.abandon();
    throw error;
  }
}

/** Says in the log that a retrieval was asked for, and refused for want of a valid approval. */
export async function logRefusal(
  held: HeldVault,
  { request, sha256 }: ReadRetrievalRequest,
  reason: Refusal,
  ledger = new Ledger({ ...held, run: runId(held.now()) }),
): Promise<void> {
  for (let first = 0; first < request.subjects.length; first += PER_ENTRY) {
    await ledger.log({
      type: "retrieval.refused",
      reason,
      subjects: request.subjects.slice(first, first + PER_ENTRY),
      request: sha256,
      commitment: commitment(request, request.salt),
    });
  }
  await ledger.flush();
}

function choose(catalog: Catalog, subject: string, versions: Versions): { version: string; entry: number }[] {
  const stored = catalog.kept.stored(subject);
  if (versions.kind === "all") return stored;
  if (versions.kind === "latest") return stored.slice(-1);
  const { at } = versions;
  return stored.filter(({ updated }) => Temporal.Instant.compare(Temporal.Instant.from(updated), at) <= 0).slice(-1);
}

/** All of a record but the files whose own time was over before its: the log says that they were destroyed. */
async function copy(
  bag: BagWriter,
  { vault, catalog, signal }: HeldVault,
  entries: Entries,
  { index, subject, version }: { readonly index: number; readonly subject: string; readonly version: string },
): Promise<void> {
  const entry = await entries.stored(index, subject, version);
  const trail = entry.moreFiles ? await readBefore(entries, catalog.subjects.mentions(subject), index) : [];
  const { object, files } = wholeRecord({ index, entry }, trail);
  const left = files.filter(({ key }) => catalog.purges.stateOf(key) !== "done");
  for (const each of [...left, object]) {
    // A stream that was cut begins again: a bag of hours does not end with one connection.
    await retrying(() => bag.object(each, () => vault.stream(each.key, each.versionId)), defaultRetry, signal);
  }
}

async function readBefore(entries: Entries, mentions: readonly number[], before: number): Promise<Numbered[]> {
  const read: Numbered[] = [];
  for (const index of mentions) {
    const entry = index < before ? await entries.read(index) : null;
    if (entry !== null) read.push({ index, entry });
  }
  return read;
}

/** Every entry that speaks of the subjects, to the byte, with its proof under the head of the log. */
async function writeEvidence(bag: BagWriter, entries: Entries, { subjects, retrieval }: Retrieval): Promise<void> {
  const indices = new Set([...subjects.flatMap(({ trail }) => trail), ...retrieval]);
  for (const index of [...indices].sort((a, b) => a - b)) {
    await bag.tag(entryPath(index), await entries.bytes(index));
    await bag.tag(proofPath(index), await entries.proof(index));
  }
}
