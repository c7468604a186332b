import { createHash } from "node:crypto";
import { Encrypter } from "age-encryption";
import { HoldfastError } from "../core/error.ts";

declare const checked: unique symbol;

/**
 * The public keys everything is sealed to. Only `parseRecipients` makes one, so whoever holds it need not ask again
 * whether there is any, or whether they may be mixed: under Object Lock an object sealed to the wrong recipients
 * is unreadable and undeletable.
 */
export interface Recipients {
  readonly strings: readonly string[];
  /** In the order of `strings`: first 16 hex of the SHA-256 of each. */
  readonly fingerprints: readonly string[];
  readonly kind: RecipientKind;
  readonly [checked]: true;
}

export type RecipientKind = "classical" | "post-quantum";

/** One thing wrong with a list; `index` is undefined when it is the list itself. */
export interface RecipientProblem {
  readonly index: number | undefined;
  readonly message: string;
  readonly hint: string;
}

/** @throws HoldfastError "recipients" that names every problem, its position and its hint, and never a private key. */
export async function parseRecipients(list: readonly string[]): Promise<Recipients> {
  const result = await checkRecipients(list);
  if ("strings" in result) return result;
  const lines = result.map(
    ({ index, message, hint }) => `recipients${index === undefined ? "" : `[${index}]`}: ${message}; ${hint}`,
  );
  throw new HoldfastError("recipients", lines);
}

/** The short name of a recipient in the audit log. */
export function fingerprint(recipient: string): string {
  return createHash("sha256").update(recipient, "utf8").digest("hex").slice(0, 16);
}

/** As `parseRecipients`, for a caller with a line number for each position. */
export async function checkRecipients(list: readonly string[]): Promise<Recipients | readonly RecipientProblem[]> {
  const problems = await listProblems(list);
  if (problems.length > 0) return problems;
  return {
    strings: Object.freeze([...list]),
    fingerprints: Object.freeze(list.map(fingerprint)),
    kind: kindOf(list[0]!),
  } as unknown as Recipients;
}

async function listProblems(list: readonly string[]): Promise<RecipientProblem[]> {
  if (list.length === 0) {
    const hint = "list at least one recipient (age1…); two are advised, so that one lost key loses nothing";
    return [{ index: undefined, message: "there is none, and nothing could ever be opened again", hint }];
  }
  const problems: RecipientProblem[] = [];
  for (const [index, recipient] of list.entries()) {
    const first = list.indexOf(recipient);
    const found =
      first < index
        ? { message: `the same as recipients[${first}]`, hint: "remove one of them" }
        : await recipientProblem(recipient);
    if (found !== undefined) problems.push({ index, ...found });
  }
  if (problems.length > 0) return problems;
  const kind = kindOf(list[0]!);
  const other = list.findIndex((recipient) => kindOf(recipient) !== kind);
  if (other === -1) return [];
  // A sealed file is as strong against a quantum computer as its weakest recipient, and age refuses to pretend.
  const message = `a ${kindOf(list[other]!)} recipient beside a ${kind} one (recipients[0])`;
  return [{ index: other, message, hint: "use only age1pq1…/age1tagpq1… or only age1…/age1tag1… in one list" }];
}

async function recipientProblem(recipient: string): Promise<{ message: string; hint: string } | undefined> {
  if (/AGE-SECRET-KEY|AGE-PLUGIN-/i.test(recipient)) {
    return {
      message: "a private key (not shown)",
      hint: "put its public half here, `age-keygen -y <key file>` prints it, and treat the private key as leaked",
    };
  }
  if (recipient !== recipient.trim()) {
    return { message: "there is white space around it", hint: "remove it" };
  }
  if (!recipient.startsWith("age1")) {
    return { message: `${brief(recipient)} is not an age recipient`, hint: "write age1…, as age-keygen prints it" };
  }
  try {
    // Not only parsed but sealed to: a low-order point parses, and fails at the first record otherwise.
    const trial = new Encrypter();
    trial.addRecipient(recipient);
    // As a stream: for bytes the library loads all of Node's fetch, 20 ms at the start of every command.
    await (await trial.encrypt(new ReadableStream())).cancel();
    return undefined;
  } catch {
    // The library's words are dropped on purpose: they may repeat the text.
    return {
      message: `${brief(recipient)} is damaged: its checksum, length or point is wrong`,
      hint: "copy the whole public key again from age-keygen",
    };
  }
}

function kindOf(recipient: string): RecipientKind {
  return /^age1(tag)?pq1/.test(recipient) ? "post-quantum" : "classical";
}

/** Enough to find it in the file; never so much that a secret pasted by mistake could be used. */
function brief(recipient: string): string {
  return recipient.startsWith("age1") ? `"${recipient.slice(0, 12)}…"` : "this";
}
