import type { Token } from "../audit/timestamp/token.ts";
import { printable } from "../core/printable.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Retrieval } from "./retrieval.ts";

export interface Readme {
  readonly retrieval: Retrieval;
  /** The company's legal name, or the client's id. */
  readonly name: string;
  readonly description: VaultDescription;
  readonly stamp: Token | undefined;
}

/** What the auditor reads first. Plain words, and commands that work without Holdfast too. */
export function readme({ retrieval, name, description: { log }, stamp }: Readme): string {
  const { prepared, subjects } = retrieval;
  // These come from the request: a line break in them must not begin a line of ours.
  const [number, requestedBy, reason] = [retrieval.case, retrieval.requestedBy, retrieval.reason].map(printable);
  const company = printable(name);
  const records = subjects.flatMap(({ records }) => records).length;
  return `Identity records of ${company}
${"=".repeat(20 + company.length)}

Case           ${number}
Requested by   ${requestedBy}
Reason         ${reason}
Prepared       ${prepared}
Holds          ${subjects.length} ${subjects.length === 1 ? "verification" : "verifications"}, ${records} ${records === 1 ? "record" : "records"}

What this is
------------
Copies of identity records, as they came from the company that verified the
identities. They are encrypted (with age): only someone with one of the
private keys can read them. The program that made this folder had no such key
and read nothing.

A verification is called by a token here: a code that tells nothing about the
person without a key that stays with ${company}.
Someone whom two providers verified has two tokens: viewer.html says which
belong to one customer, where the log shows it.

Is it complete and unchanged?
-----------------------------
    sha256sum -c --strict manifest-sha256.txt tagmanifest-sha256.txt

shows whether each file is the same as when the folder was made. The audit log
proves that nothing was changed since the records were stored:

    holdfast verify <this folder> --vkey '${log.vkey}'

The long text at the end is the log's public key. Get it from
${company}
through a separate channel and compare. A key that came with the folder proves
nothing on its own.

${stamp ? since(stamp) : ""}Reading it
----------
Open viewer.html in a browser (Chrome, Edge, Firefox or Safari of 2024 or
later), and give it this folder and your private key file. The page checks
everything and shows the records. It needs no network and sends nothing. If
you do not trust a page that came with the data, take viewer.html from
Holdfast itself: it is the same file, byte for byte. On the command line:

    holdfast open <this folder> --key <your private key file> --out <a new folder>

Or with age alone, one file at a time:

    age -d -i <your private key file> data/records/…/….age > record.json

What is in it
-------------
viewer.html       the page that checks and shows everything
data/records      encrypted records (JSON), one for each version of a person's
                  data
data/files        encrypted images and videos of documents; the records name
                  them
evidence/entries  the audit log's entries about these people: when each record
                  was stored and by which run, how long it is locked, when a
                  business relationship ended or was reopened, legal holds
                  placed and released (the case as a token), what was
                  destroyed after its retention period, and every retrieval,
                  this one included
evidence/proofs   for each of those entries, the proof that the log has it
evidence/checkpoint  the signed summary of the whole log, which all proofs lead
                  to
${stamp ? "evidence/checkpoint.tsr  the time stamp of that summary (RFC 3161)\n" : ""}
The formats are RFC 8493 (BagIt), C2SP age, signed-note, tlog-tiles and
tlog-proof. docs/FORMAT.md of Holdfast describes the rest.
`;
}

function since({ time, imprint }: Token): string {
  return `Since when?
-----------
According to a time-stamping authority, which no one here can influence, the
log and everything proven here existed at the latest on

    ${time}

To check that, get the authority's root certificate from the authority:

    holdfast verify <this folder> --tsa-ca <the root certificate>
    openssl ts -verify -in evidence/checkpoint.tsr -CAfile <the root certificate> \\
      -digest ${imprint}

The digest is the SHA-256 of evidence/checkpoint (sha256sum).

`;
}
