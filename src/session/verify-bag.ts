import { keyText } from "../audit/different-key.ts";
import { readAnchors } from "../audit/timestamp/authority.ts";
import { leftBehindText } from "../bag/os-leftovers.ts";
import { type Checked, checkBag } from "../bag/reader.ts";
import { quoted } from "../core/printable.ts";
import type { Console } from "../observe/console.ts";
import { bytes, people, plural } from "../observe/format.ts";
import { sayVerdict, untrusted } from "./key-trust.ts";

export interface BagReport {
  readonly bag: string;
  /** The log key that signed it, and whether anyone but the bag says that it is the client's. */
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
  /** When the bag was handed on to other recipients, by its own word. */
  readonly resealed?: string;
  /** When the log's head existed at the latest, and by whose word where that was checked. */
  readonly timestamp?: Checked["timestamp"];
}

/** Checks a bag, with no access to the vault it came from. Throws for the first thing that is not as it was made. */
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
  { retrieval, records, entries, data, bytes: size, vkey, reseal, timestamp }: Checked,
  trusted: boolean,
): string[] {
  return [
    `${bag}: ${trusted ? "all is well" : untrusted("bag")}`,
    `  case      ${quoted(retrieval.case)}, prepared ${retrieval.prepared}`,
    `  holds     ${people(retrieval.subjects.length)}, ${plural(records.length, "record")}, ${plural(data.size - records.length, "file")}, each the one that was logged; ${bytes(size)}`,
    `  log       ${plural(entries, "entry", "entries")} proven to be in the log; this retrieval is one of them`,
    ...(reseal
      ? [`  resealed  ${reseal.resealed}, for ${reseal.to.join(", ")}: other headers, the payloads as they were stored`]
      : []),
    ...(timestamp
      ? [
          `  time      the log and all of this existed at the latest on ${timestamp.time}, ${timestamp.authority ? `signed by ${quoted(timestamp.authority)}` : "by a time stamp whose maker was not checked: --tsa-ca names the root certificate that you trust"}`,
        ]
      : []),
    trusted
      ? "  key       signed by the log key that you trust"
      : `  key       signed by ${keyText(vkey)}, by the bag's own word`,
  ];
}
