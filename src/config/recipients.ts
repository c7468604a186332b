import { createHash, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { bech32 } from "@scure/base";
import { HoldfastError } from "../core/error.ts";
import { MAX_HEADER } from "../core/max-header.ts";

declare const checked: unique symbol;

/** A classical recipient: the only type whose data part is a bare X25519 key. */
export const CLASSICAL = /^age1[ac-hj-np-z02-9]+$/;

/** A header's first and last line, in bytes, and what it has for a classical recipient with a bare X25519 key. */
const LINES = 70;
const STANZA = 98;

/**
 * The public keys that everything is sealed to. Only `checkRecipients` makes one, so code that has one need not check
 * again that the list is not empty and not mixed: under Object Lock, an object sealed to the wrong recipients can be
 * neither read nor deleted.
 */
export interface Recipients {
  readonly strings: readonly string[];
  /** In the order of `strings`: the first 16 hex digits of each SHA-256. */
  readonly fingerprints: readonly string[];
  readonly kind: RecipientKind;
  readonly [checked]: true;
}

export type RecipientKind = "classical" | "post-quantum";

/** One problem of a list; `index` is undefined if it concerns the whole list. */
export interface RecipientProblem {
  readonly index: number | undefined;
  readonly message: string;
  readonly hint: string;
}

/** @throws HoldfastError "recipients" that lists every problem with its position and hint, and never a private key. */
export async function parseRecipients(list: readonly string[]): Promise<Recipients> {
  const result = await checkRecipients(list);
  if ("strings" in result) return result;
  const lines = result.map(
    ({ index, message, hint }) => `recipients${index === undefined ? "" : `[${index}]`}: ${message}; ${hint}`,
  );
  throw new HoldfastError("recipients", lines);
}

/** Names a recipient in the audit log. */
export function fingerprint(recipient: string): string {
  return createHash("sha256").update(recipient, "utf8").digest("hex").slice(0, 16);
}

/** Like `parseRecipients`, for a caller that reports line numbers. */
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
    const hint = "list at least one recipient (age1…); use two, so that you lose no data if one key is lost";
    return [{ index: undefined, message: "there are no recipients, so no one could ever open a record", hint }];
  }
  const problems: RecipientProblem[] = [];
  let fitting = 0;
  let header = LINES;
  for (const [index, recipient] of list.entries()) {
    const first = list.indexOf(recipient);
    const found =
      first < index
        ? { message: `duplicates recipients[${first}]`, hint: "remove one of them" }
        : await lookAt(recipient);
    if (typeof found !== "number") problems.push({ index, ...found });
    else {
      header += found;
      if (header <= MAX_HEADER) fitting += 1;
    }
  }
  if (problems.length > 0) return problems;
  const kind = kindOf(list[0]!);
  const other = list.findIndex((recipient) => kindOf(recipient) !== kind);
  if (other === -1) return fitting < list.length ? [tooMany(fitting)] : [];
  // Against a quantum computer, a sealed file is as weak as its weakest recipient, so age refuses to mix them.
  const message = `a ${kindOf(list[other]!)} recipient in a list with a ${kind} one (recipients[0])`;
  return [{ index: other, message, hint: "use only age1pq1…/age1tagpq1… or only age1…/age1tag1… in one list" }];
}

function tooMany(fitting: number): RecipientProblem {
  const message = `more recipients than the header of a sealed file holds (${MAX_HEADER / 1024} KiB)`;
  return { index: fitting, message, hint: `list at most ${fitting} of these` };
}

/** How much a header has for this recipient, in bytes; or what is wrong with it. */
async function lookAt(recipient: string): Promise<number | { message: string; hint: string }> {
  if (/AGE-SECRET-KEY|AGE-PLUGIN-/i.test(recipient)) {
    return {
      message: "a private key (not shown)",
      hint: "write the public key instead (`age-keygen -y <key file>` prints it), and treat the private key as leaked",
    };
  }
  if (recipient !== recipient.trim()) {
    return { message: "has white space around it", hint: "remove it" };
  }
  if (!recipient.startsWith("age1")) {
    return {
      message: `${brief(recipient)} is not an age recipient`,
      hint: "write age1…, as `holdfast keygen` or age-keygen prints it",
    };
  }
  if (/…|\.\.\./.test(recipient)) {
    return { message: "age1… is a placeholder", hint: "write the whole public key, as `holdfast keygen` prints it" };
  }
  try {
    // Parsing is not enough: a low-order point parses, and would fail at the first record.
    if (!CLASSICAL.test(recipient)) return (await headerFor(recipient)) - LINES;
    agreeWith(recipient);
    return STANZA;
  } catch {
    // The library's message is dropped because it may repeat the text.
    return {
      message: `${brief(recipient)} is damaged: its checksum, length or point is wrong`,
      hint: "copy the whole public key again, as `holdfast keygen` or age-keygen printed it",
    };
  }
}

/** As sealing does. Throws for a damaged recipient. */
function agreeWith(recipient: string): void {
  const { bytes } = bech32.decodeToBytes(recipient);
  const publicKey = createPublicKey({ key: Buffer.from(bytes), format: "raw-public", asymmetricKeyType: "x25519" });
  diffieHellman({ privateKey: generateKeyPairSync("x25519").privateKey, publicKey });
}

/** The same for every type, with a library that takes 60 ms of every command's start. The header's length, in bytes. */
async function headerFor(recipient: string): Promise<number> {
  const { Encrypter } = await import("age-encryption");
  const trial = new Encrypter();
  trial.addRecipient(recipient);
  // As a stream: for bytes the library loads all of Node's fetch, 20 ms.
  const sealed = (await trial.encrypt(new ReadableStream())).getReader();
  const { value } = await sealed.read();
  void sealed.cancel().catch(() => {});
  const head = Buffer.from(value!);
  return head.indexOf("\n", head.indexOf("\n--- ") + 1) + 1;
}

function kindOf(recipient: string): RecipientKind {
  return /^age1(tag)?pq1/.test(recipient) ? "post-quantum" : "classical";
}

/** Enough to find it in the file, but too little to use a secret pasted by mistake. */
function brief(recipient: string): string {
  return recipient.startsWith("age1") ? `"${recipient.slice(0, 12)}…"` : "this";
}
