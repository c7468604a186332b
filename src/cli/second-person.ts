import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { type Approval, approve, MAX_SIGNATURE, type Refusal } from "../approval/approval.ts";
import type { ReadRequest, Timed } from "../approval/request.ts";
import { HoldfastError } from "../core/error.ts";
import type { Approver } from "../core/ssh-key.ts";
import { number } from "../observe/format.ts";

/** The files to pass back in: the request that was written for the second person, and their signature over it. */
export interface ApprovalFiles {
  readonly request: string;
  readonly approval: string;
}

/** A command that needs the approval of a second person. */
export interface TwoPeople<T extends Timed> {
  /** The namespace for `ssh-keygen -Y sign -n`. */
  readonly namespace: string;
  /** The option of the config that lists who may approve. */
  readonly option: string;
  /** What the request is for, as a plural: `retrievals`. */
  readonly what: string;
  /** The command, without its request: `holdfast retrieve`. */
  readonly command: string;
  readonly parse: (bytes: Uint8Array) => ReadRequest<T>;
  /** Logs the refusal and its reason. */
  readonly refuse: (asked: ReadRequest<T>, reason: Refusal) => Promise<void>;
}

/** Writes the request that a second person signs. Always throws, `unapproved` where it was written. */
export async function askSecondPerson<T extends Timed>(
  { namespace, what, command, parse, refuse }: TwoPeople<T>,
  text: string,
  file: string,
): Promise<never> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "is there already" : `cannot be written (${code})`;
    throw new HoldfastError("usage", `${file} ${why}`, {
      cause,
      hint: "Have that request signed, or name another --out: a request is never written over.",
    });
  }
  try {
    await refuse(parse(Buffer.from(text)), "missing");
  } catch (error) {
    // The next call writes a request of its own, under the same name.
    await rm(file, { force: true });
    throw error;
  }
  throw new HoldfastError("unapproved", `this client's ${what} need a second person; ${file} was written for them`, {
    hint: [
      "Have them read and sign it, within 7 days:",
      `  ssh-keygen -Y sign -n ${namespace} -f <their key> ${file}`,
      "and then run",
      `  ${command} --request ${file} --approval ${file}.sig --out <folder>`,
    ],
  });
}

const MAX_REQUEST = 256 * 1024 * 1024;

/** A request as it was written and the signature over it: untrusted bytes. Throws `usage` for a file that is no request. */
export async function readApproval<T extends Timed>(
  { parse, command }: Pick<TwoPeople<T>, "parse" | "command">,
  { request, approval }: ApprovalFiles,
): Promise<{ readonly asked: ReadRequest<T>; readonly signature: Uint8Array }> {
  const content = await readSmall(request, MAX_REQUEST);
  try {
    return { asked: parse(content), signature: await readSmall(approval, MAX_SIGNATURE) };
  } catch (cause) {
    if (cause instanceof HoldfastError && cause.code !== "malformed") throw cause;
    // It was named by mistake: nothing that Holdfast keeps is damaged.
    throw new HoldfastError("usage", `${request} is no request as ${command} writes it`, {
      cause,
      hint: "Nothing in it may be changed, and nothing added. Name with --request the .request.json file, and with --approval the signature over it.",
    });
  }
}

/** The approval, if it is valid now. Throws `unapproved`, and has it logged, where it is not. */
export async function checkApproval<T extends Timed>(
  { namespace, option, refuse }: TwoPeople<T>,
  { asked, signature }: { readonly asked: ReadRequest<T>; readonly signature: Uint8Array },
  approvers: readonly Approver[],
  now: Temporal.Instant,
): Promise<Approval<T>> {
  const approval = approve(asked, signature, approvers, now, namespace);
  if (typeof approval !== "string") return approval;
  await refuse(asked, approval);
  throw new HoldfastError("unapproved", `refused, and logged: ${REFUSED[approval]}`, {
    hint: `Have the request signed, as it is, by someone whose key is in ${option} of the config.`,
  });
}

const REFUSED: Readonly<Record<Refusal, string>> = {
  missing: "no one approved it yet",
  "bad-signature": "the file is not a signature, or is not over this request",
  "not-listed": "it is signed with a key that is not among those that may approve",
  expired: "the request is older than seven days, or newer than this machine's clock: ask again",
};

async function readSmall(path: string, most: number): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size > most)
      throw new HoldfastError("usage", `${path} is larger than ${number(most)} bytes`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("usage", `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
