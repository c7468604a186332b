import { type HandedOn, handOn } from "../src/bag/hand-on.ts";
import { leftBehindText } from "../src/bag/os-leftovers.ts";
import { checkBag } from "../src/bag/reader.ts";
import { parseRecipients } from "../src/config/recipients.ts";
import { systemClock } from "../src/core/clock.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { Console } from "../src/observe/console.ts";
import { bytes, plural } from "../src/observe/format.ts";
import { sayVerdict, untrusted } from "../src/session/key-trust.ts";
import { warnOfLeftovers } from "../src/session/leftovers.ts";
import { openKeyFile } from "./open.ts";

export interface ResealOptions {
  /** Age identity file of a present recipient. */
  readonly key: string;
  /** Age recipients; from then on these open it, and nobody else. */
  readonly to: readonly string[];
  readonly out: string;
  readonly vkey?: string | undefined;
}

/** Hands a bag to somebody who is no recipient, after all of it was checked. Needs neither config nor vault. */
export async function reseal(bag: string, { key, to, out, vkey }: ResealOptions, console: Console): Promise<HandedOn> {
  const recipients = await parseRecipients(to).catch((cause: unknown) => {
    if (!(cause instanceof HoldfastError)) throw cause;
    throw new HoldfastError("recipients", cause.message.replaceAll("recipients", "--to").split("\n"), { cause });
  });
  const opener = await openKeyFile(key);
  await warnOfLeftovers(out, console);
  const checked = await checkBag(bag, vkey);
  if (checked.ignored.length > 0) console.say(`${bag}: ignored: ${leftBehindText(checked.ignored)}`);
  const progress = console.progress("objects");
  const done = await handOn(bag, checked, { opener, to: recipients, out, now: systemClock() }, progress.update).finally(
    progress.end,
  );
  const trust = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const lines = [
    `${out} is ready, for ${done.to.join(", ")} alone${trust.keyTrusted ? "" : `; ${untrusted("bag")}`}`,
    `  holds     ${plural(done.objects, "object")} under other headers, ${bytes(done.bytes)}; the payloads are as they were stored`,
    "  told      in reseal.json: what each object was in the vault, and what it is here; verify checks both",
    "  not told  in the log of the vault: this machine does not reach it. Keep a note of whom you gave it to",
  ];
  sayVerdict(console, lines, { ...trust, with: "bag" });
  return done;
}
