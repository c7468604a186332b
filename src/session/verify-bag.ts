import { keyText } from "../audit/different-key.ts";
import { readAnchors } from "../audit/timestamp/authority.ts";
import { leftBehindText } from "../bag/os-leftovers.ts";
import { checkBag, type SoundBag } from "../bag/reader.ts";
import { quoted } from "../core/printable.ts";
import type { Console } from "../observe/console.ts";
import { bytes, plural } from "../observe/format.ts";
import { sayVerdict, untrusted } from "./key-trust.ts";

export interface BagReport {
  readonly bag: string;
  /** The log key that signed it, and whether the caller vouched for it. */
  readonly vkey: string;
  readonly keyTrusted: boolean;
  readonly case: string;
  readonly subjects: number;
  readonly records: number;
  readonly files: number;
  readonly entries: number;
  readonly bytes: number;
  /** Files that macOS or Windows left in the folder. */
  readonly ignored: readonly string[];
  /** When the bag was resealed for other recipients, according to the bag itself. */
  readonly resealed?: string;
  /** The latest time at which the log's head came into existence, and who signed that, if it was checked. */
  readonly timestamp?: SoundBag["timestamp"];
}

/** Checks a bag without access to its vault. Throws for the first altered or missing file. */
export async function verifyBag(
  bag: string,
  { vkey, tsaCa }: { readonly vkey?: string | undefined; readonly tsaCa?: string | undefined },
  console: Console,
): Promise<BagReport> {
  const checked = await checkBag(bag, vkey, tsaCa === undefined ? undefined : await readAnchors(tsaCa));
  if (checked.ignored.length > 0) console.say(`${bag}: ignored: ${leftBehindText(checked.ignored)}`);
  const key = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  sayVerdict(console, reportText(bag, checked, key.keyTrusted), { ...key, with: "bag" });
  const { retrieval, records, data, entries, reseal, timestamp, ignored } = checked;
  return {
    bag,
    ...key,
    case: retrieval.case,
    subjects: retrieval.subjects.length,
    entries,
    records: records.length,
    files: data.size - records.length,
    bytes: checked.bytes,
    ignored,
    ...(reseal && { resealed: reseal.resealed }),
    ...(timestamp && { timestamp }),
  };
}

function reportText(
  bag: string,
  { retrieval, records, entries, data, bytes: size, vkey, reseal, timestamp }: SoundBag,
  trusted: boolean,
): string[] {
  return [
    `${bag}: ${trusted ? "all is well" : untrusted("bag")}`,
    `  case      ${quoted(retrieval.case)}, prepared ${retrieval.prepared}`,
    `  holds     ${plural(retrieval.subjects.length, "verification")}, ${plural(records.length, "record")}, ${plural(data.size - records.length, "file")}, each as logged; ${bytes(size)}`,
    `  log       ${plural(entries, "entry", "entries")} proven to be in the log; this retrieval is one of them`,
    ...(reseal
      ? [`  resealed  ${reseal.resealed}, for ${reseal.to.join(", ")}: with new headers and unchanged payloads`]
      : []),
    ...(timestamp
      ? [
          `  time      the log, with all of this, existed by ${timestamp.time}, ${timestamp.authority ? `signed by ${quoted(timestamp.authority)}` : "according to a time stamp whose signer was not checked: pass the root certificate that you trust with --tsa-ca"}`,
        ]
      : []),
    trusted
      ? "  key       signed by the log key that you trust"
      : `  key       signed by ${keyText(vkey)}, according to the bag itself`,
  ];
}
