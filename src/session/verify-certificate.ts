import { keyText } from "../audit/different-key.ts";
import { checkCertificate, type LedThere } from "../certificate/certificate-check.ts";
import { quoted } from "../core/printable.ts";
import type { Console } from "../observe/console.ts";
import { people, plural } from "../observe/format.ts";
import { sayVerdict, untrusted } from "./key-trust.ts";

const VERDICT: Readonly<Record<LedThere, string>> = {
  checked: "all is well",
  "no-policy": "consistent, but the purge was not checked against a policy",
  "not-in-it": "consistent, but what led to the purge was not checked",
};

const LED_THERE: Readonly<Record<LedThere, string>> = {
  checked: "each purge was begun before, due by the rules logged, with no hold open and its locks over",
  "no-policy":
    "each purge was begun before, with no hold open and its locks over; not checked against a policy, because the log told none before it",
  "not-in-it": "not in a certificate of this form, so it was not checked: only verify of the vault shows it",
};

/** Checks one, with no access to the vault. Throws for the first thing that is not as it was made. */
export async function verifyCertificate(folder: string, vkey: string | undefined, console: Console) {
  const checked = await checkCertificate(folder, { vkey });
  const { client, runs, made, totals, proven, ledThere } = checked;
  const key = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const names = `${runs.length === 1 ? "run" : "runs"} ${runs.map((run) => quoted(run)).join(", ")}`;
  const text = [
    `${folder}: ${key.keyTrusted ? VERDICT[ledThere] : untrusted("certificate")}`,
    `  certifies the destruction of ${plural(totals.records, "record")} and ${plural(totals.files, "file")} of ${people(totals.subjects)}, by ${quoted(client)} in the ${names}; made ${made}`,
    `  log       ${plural(proven, "entry", "entries")} proven to be in the log`,
    `  led there ${LED_THERE[ledThere]}`,
    key.keyTrusted
      ? "  key       signed by the log key that you trust"
      : `  key       signed by ${keyText(key.vkey)}, by its own word`,
  ];
  sayVerdict(console, text, { ...key, with: "certificate" });
  return { certificate: folder, client, runs, made, totals, ledThere, ...key };
}
