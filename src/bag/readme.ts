import type { Token } from "../audit/timestamp/token.ts";
import { printable } from "../core/printable.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Retrieval } from "./retrieval.ts";

/** What the auditor reads first. Plain words, and commands that need nothing of Holdfast. */
export function readme(retrieval: Retrieval, { log }: VaultDescription, stamp: Token | undefined): string {
  const { client, prepared, subjects } = retrieval;
  // The words of whoever asked: a line break in them must not begin a line of ours.
  const [number, requestedBy, reason] = [retrieval.case, retrieval.requestedBy, retrieval.reason].map(printable);
  const records = subjects.flatMap(({ records }) => records).length;
  return `Identity records of ${client}
${"=".repeat(20 + client.length)}

Case           ${number}
Requested by   ${requestedBy}
Reason         ${reason}
Prepared       ${prepared}
Holds          ${subjects.length} ${subjects.length === 1 ? "person" : "people"}, ${records} ${records === 1 ? "record" : "records"}

What this is
------------
Copies of identity records, sealed as they came from the identity-verification
provider. They are encrypted (age): only who has one of the private keys can
read them. Whoever made this folder had none, and read nothing.

Is it whole, and untouched?
---------------------------
    sha256sum -c --strict manifest-sha256.txt tagmanifest-sha256.txt

says whether each file is as it was when the folder was made. That nothing was
changed since the records were stored is what the audit log proves:

    holdfast verify <this folder> --vkey '${log.vkey}'

Ask ${client} for that key (the log's public key) by another route
than this folder, and compare: the same word in the same place proves nothing.

${stamp ? since(stamp) : ""}Reading it
----------
Open viewer.html in a browser (Chrome, Edge, Firefox or Safari of 2024 or
later), and give it this folder and your private key file. It checks
everything, shows the records, and needs no network: nothing leaves it. If you
do not trust a page that came with the data, take viewer.html out of Holdfast
itself: it is the same file, to the byte. Or, on the command line:

    holdfast open <this folder> --key <your private key file> --out <a new folder>

or, with age alone, one file at a time:

    age -d -i <your private key file> data/records/…/….age > record.json

What is in it
-------------
viewer.html       the page that checks and shows it all
data/records      one sealed record for each version of each person: JSON
data/files        sealed document images and videos; the record names them
evidence/entries  what the audit log says of these people: when each record
                  was stored and by which run, how long it is locked, when a
                  business relationship ended or went on, legal holds placed
                  and released (the case as a token), what was destroyed at
                  the end of its time, and every retrieval, this one too
evidence/proofs   for each of those entries, the proof that it is in the log
evidence/checkpoint  the log's signed head, that all proofs lead to
${stamp ? "evidence/checkpoint.tsr  the time stamp of that head (RFC 3161)\n" : ""}
The formats are those of RFC 8493 (BagIt), C2SP age, signed-note, tlog-tiles
and tlog-proof; docs/FORMAT.md of Holdfast has the rest.
`;
}

function since({ time, imprint }: Token): string {
  return `Since when?
-----------
By the word of a time-stamping authority, which no one here can change, the
log and all that is proven here existed at the latest on

    ${time}

To check that, take the authority's root certificate from the authority:

    holdfast verify <this folder> --tsa-ca <the root certificate>
    openssl ts -verify -in evidence/checkpoint.tsr -CAfile <the root certificate> \\
      -digest ${imprint}

The digest is that of evidence/checkpoint (sha256sum).

`;
}
