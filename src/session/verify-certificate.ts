import { keyText } from "../audit/different-key.ts";
import { checkCertificate, type LedThere } from "../certificate/certificate-check.ts";
import { quoted } from "../core/printable.ts";
import type { Console } from "../observe/console.ts";
import { plural, verifications } from "../observe/format.ts";
import { sayVerdict, untrusted } from "./key-trust.ts";

const VERDICT: Readonly<Record<LedThere, string>> = {
  checked: "all is well",
  "no-policy": "consistent, but the purge was not checked against a policy",
  "not-in-it": "consistent, but the events before the purge were not checked",
};

const LED_THERE: Readonly<Record<LedThere, string>> = {
  checked: "the log shows that each purge was due, with no legal hold and no lock",
  "no-policy":
    "the log shows that each purge began with no legal hold and no lock; not checked against a policy, because the log had none before it",
  "not-in-it": "not checked, because this form of certificate does not contain it: only verify of the vault shows it",
};

/** Checks a certificate without access to the vault. Throws for the first altered or missing file. */
export async function verifyCertificate(folder: string, vkey: string | undefined, console: Console) {
  const checked = await checkCertificate(folder, { vkey });
  const { client, runs, made, totals, proven, ledThere } = checked;
  const key = { vkey: checked.vkey, keyTrusted: vkey !== undefined };
  const names = `${runs.length === 1 ? "run" : "runs"} ${runs.map((run) => quoted(run)).join(", ")}`;
  const text = [
    `${folder}: ${key.keyTrusted ? VERDICT[ledThere] : untrusted("certificate")}`,
    `  certifies the destruction of ${plural(totals.records, "record")} and ${plural(totals.files, "file")} of ${verifications(totals.subjects)}, by ${quoted(client)} in the ${names}; made ${made}`,
    `  log       ${plural(proven, "entry", "entries")} proven to be in the log`,
    `  checks    ${LED_THERE[ledThere]}`,
    key.keyTrusted
      ? "  key       signed by the log key that you trust"
      : `  key       signed by ${keyText(key.vkey)}, according to the certificate itself`,
  ];
  sayVerdict(console, text, { ...key, with: "certificate" });
  return { certificate: folder, client, runs, made, totals, ledThere, ...key };
}
