import { plural } from "../observe/format.ts";
import { type Html, html, page, prose } from "../page/html.ts";
import { paper, STYLE } from "../page/style.ts";
import { clockInWords } from "../report/policy-text.ts";
import type { Assessment, Destroyed } from "../retention/assessment.ts";

/** No record, and no purge, matches the details that the person gave. */
export interface Unknown {
  readonly answer: "unknown";
}

export interface Verification {
  readonly of: Assessment | Destroyed | Unknown;
  /** Who verified the person, `Persona`; for one of several. */
  readonly by?: string | undefined;
  /** Of the certificate of destruction, where all was destroyed. */
  readonly certificate?: string | undefined;
}

export interface Letter {
  /** The company's legal name, or the client's id. */
  readonly name: string;
  readonly contact: string | undefined;
  /** What is said of each verification of the person: of several, if several providers verified one customer. */
  readonly of: readonly Verification[];
  /** For how long data are kept, as `policy.changed` says it: `P5Y from relationship-end`. */
  readonly clocks: readonly string[];
  /** The client's day, `2026-11-24`. */
  readonly today: string;
}

/**
 * The reply to a request for erasure (GDPR Art. 12, 15, 17), for the officer to complete and send. Nothing in it
 * identifies the person: name, address and dates of the request are blanks.
 */
export function letterPage(letter: Letter): string {
  const { name, contact, today } = letter;
  const { notes, body } = together(letter);
  const tokens = letter.of.flatMap(({ of }) => (of.answer === "unknown" ? [] : [of.subject]));
  return page({
    title: `${name}: reply to a request for erasure`,
    style: `${STYLE}\n${LETTER}\n${paper(`${name} · Reply to a request for erasure`)}`,
    body: html`<main class="letter">
<aside class="screen attention unsure"><strong>Before you send this</strong>
<ul>
<li>Fill in the blanks, and check that the request came from the person it is about.</li>
<li>Reply within one month of receiving the request (GDPR Art. 12(3)). You can extend this by two months for complex requests, if you tell the person why within the first month.</li>
<li>This letter is about copies of identity verifications only. Add what else ${name} holds.</li>
${notes.map((note) => html`<li>${prose(note)}</li>`)}
<li>It is a draft, not legal advice. This box is not printed.${tokens.map((token) => html` Token: <code>${token}</code>.`)}</li>
</ul></aside>
<header><p><strong>${name}</strong>${contact === undefined ? undefined : html`<br>${contact}`}</p></header>
<div class="address"><p>${blank("Name")}</p><p>${blank("Address")}</p><p>${blank("")}</p></div>
<p class="date">${longDate(today)}</p>
<h1>Your request for erasure of personal data</h1>
<p class="about"><span>Our reference: ${blank("")}</span><span>Your request of: ${blank("")}</span><span>Received on: ${blank("")}</span></p>
<p>Dear ${blank("")},</p>
<p>You asked us to erase your personal data under Article 17 of the General Data Protection Regulation (GDPR). This is our reply (Article 12(3) GDPR). It is about the copies of your identity ${letter.of.length > 1 ? "verifications" : "verification"}.</p>
${body}
<h2>Your rights</h2>
<ul>
<li>You can ask us which personal data of yours we process, and for a copy of them (Article 15 GDPR).</li>
<li>You can lodge a complaint with a data protection supervisory authority, in particular where you live, where you work, or where you think your rights were infringed (Article 77 GDPR).</li>
<li>You can also take the matter to court (Article 79 GDPR).</li>
</ul>
<p>${contact === undefined ? html`If you have questions, please write to: ${blank("")}` : html`If you have questions, please write to: ${contact}.`}</p>
<p>Yours sincerely,</p>
<div class="signatures"><div>Signature</div><div>Name and position</div></div>
</main>`,
  });
}

interface Parts {
  /** What its sender must know before. */
  readonly notes: readonly string[];
  /** What is kept, if anything; then what the answer is. */
  readonly held?: Html;
  readonly body: Html;
}

/** One letter for one person: what is kept of each verification, then each answer, once where they are the same. */
function together(letter: Letter): Parts {
  const all = letter.of.map((each) => ({ by: each.by, ...parts(letter, each) }));
  const isOne = new Set(all.map(({ body }) => body.text)).size === 1;
  const verifiedBy = (by: string | undefined) =>
    all.length > 1 ? html`<p class="by">Verified by ${by ?? blank("Provider")}:</p>` : undefined;
  const held = all.filter((each) => each.held);
  const answers = new Set(letter.of.map(({ of }) => of.answer));
  // Side by side, two answers may tell the person what one would not.
  const partly = answers.has("held") && answers.size > 1 ? [PARTLY_HELD] : [];
  return {
    notes: [...new Set(all.flatMap(({ notes }) => notes)), ...partly],
    body: html`${held.length > 0 ? html`<h2>What we hold</h2>` : undefined}
${held.map((each) => html`${verifiedBy(each.by)}${each.held}`)}
${all.slice(0, isOne ? 1 : undefined).map((each) => html`${isOne ? undefined : verifiedBy(each.by)}${each.body}`)}`,
  };
}

const PARTLY_HELD =
  "The legal hold is on some of these verifications only, so the letter has different answers. If the person must not notice, place the hold on all of them: `holdfast hold place` with --email or --reference.";

function parts({ name, clocks, today }: Letter, { of, certificate }: Verification): Parts {
  if (of.answer === "unknown") {
    return {
      notes: [
        "The vault has no one with these details. Check their spelling, and whether the person has others: an earlier e-mail address, a customer number.",
        "A purged person cannot be found by e-mail or reference any more. If you know the provider's id, use --identity.",
      ],
      body: html`<h2>We hold no copies</h2>
<p>We hold no copies of an identity verification under the details you gave. If you were verified under other details, such as an earlier e-mail address, please tell us: we will look again.</p>`,
    };
  }
  if (of.answer === "purged") {
    return {
      notes: [
        `The certificate of destruction is the proof: holdfast retention certificate ${of.runs.map((run) => `--run ${run}`).join(" ")} --out <folder>.`,
      ],
      body: html`<h2>Your data were destroyed</h2>
<p>We hold no copy of your identity verification any more. We destroyed all copies on <strong>${longDate(of.purged)}</strong>, when the period for which the law required us to keep them had ended. Certificate of destruction no. ${certificate} documents this. To reply to you we keep this date and a code without your name.</p>`,
    };
  }
  const law = of.legalBasis.length > 0 ? html`<strong>${of.legalBasis.join("; ")}</strong>` : blank("legal basis");
  const isDue = of.untilDay === undefined || of.untilDay >= today;
  const noLaw = of.legalBasis.length > 0 ? [] : ["The config names no legal basis: fill it in, or erase the data."];
  const held = html`<p>We hold ${plural(of.records, "copy", "copies")} of your identity verification${of.files > 0 ? ` with ${plural(of.files, "document file")} (such as images of identity documents)` : ""}, stored ${span(of)}. ${of.records === 1 ? "It contains" : "They contain"} ${of.collect === "full" ? "the data that you gave to verify your identity, and the result" : "yes and no answers only: whether your identity was verified"}. All of it is encrypted${of.answer === "kept" ? ", and used for nothing but this legal duty" : ""}.</p>`;
  switch (of.answer) {
    case "erasable":
    case "locked": {
      const locked = of.answer === "locked";
      return {
        notes: [
          locked
            ? `The store keeps these records locked until ${of.lockedUntil.slice(0, 10)}. Destroy them after that day: holdfast retention purge --confirm --out <folder>.`
            : "Destroy the records first: holdfast retention purge --confirm --out <folder>. Then make this letter again: it will say that they were destroyed.",
        ],
        held,
        body: html`<h2>We will erase it</h2>
<p>No legal duty to keep these copies remains. ${locked ? html`Our storage protects every copy against deletion for a fixed time, which ends on <strong>${longDate(of.lockedUntil)}</strong>. We will destroy them after that day, and use them for nothing until then.` : "We will destroy them without undue delay."}</p>`,
      };
    }
    case "held":
      return {
        notes: [
          `A legal hold is in effect (${plural(of.holds.length, "case")}). The letter does not mention it. Ask counsel before you do: laws against money laundering can forbid telling the person.`,
          ...(isDue
            ? noLaw
            : [
                `The retention period ended on ${of.untilDay}. Only the legal hold keeps these records: release it once it no longer applies.`,
              ]),
        ],
        held,
        body: html`<h2>Why we cannot erase it yet</h2>
<p>We may not erase these copies at present (Article 17(3) GDPR). ${isDue ? html`The law requires us to keep them: ${law}. ` : undefined}The right to erasure does not apply where data are necessary to comply with a legal obligation, or to establish, exercise or defend legal claims (Article 17(3)(b) and (e) GDPR).</p>
<p>We will destroy the copies when these reasons no longer apply${of.untilDay !== undefined && isDue ? html`, not before ${longDate(of.untilDay)}` : undefined}.</p>`,
      };
    case "kept":
      return {
        notes: [
          ...(of.ended === undefined
            ? [
                "No end of the relationship is recorded. If it has ended, record that with `holdfast relationship end` and make this letter again.",
              ]
            : []),
          ...noLaw,
        ],
        held,
        body: html`<h2>Why we cannot erase it yet</h2>
<p>The law requires us to keep these copies: ${law}. The right to erasure does not apply where data are necessary to comply with a legal obligation (Article 17(3)(b) GDPR).</p>
<h2>When it will be erased</h2>
${until(of, clocks, name)}`,
      };
  }
}

function until({ untilDay, ended }: Assessment, clocks: readonly string[], name: string): Html {
  if (untilDay !== undefined)
    return html`<p>We must keep the copies until <strong>${longDate(untilDay)}</strong>${ended === undefined ? undefined : html`, because your relationship with ${name} ended on ${longDate(ended)}`}. After that day we will destroy them.</p>`;
  const words = [...new Set(clocks.map(clockInWords))];
  return html`<p>The copies are ${words.join("; ")}. According to our records your relationship with ${name} has not ended, so there is no fixed date yet. Once the period is over, we will destroy them.</p>`;
}

function span({ first, last }: Assessment): string {
  const [from, to] = [first, last].map((time) => longDate(time));
  return from === to ? `on ${from}` : `from ${from} to ${to}`;
}

/** A line to write on. */
function blank(what: string): Html {
  return html`<span class="blank">${what}</span>`;
}

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];

/** `2026-11-24…` as `24 November 2026`. */
function longDate(text: string): string {
  const month = MONTHS[Number(text.slice(5, 7)) - 1];
  return month === undefined ? text : `${Number(text.slice(8, 10))} ${month} ${text.slice(0, 4)}`;
}

const LETTER = `.letter { max-width: 46rem; }
.letter h1 { font-size: 1.5rem; margin: 1.6rem 0 1rem; }
.letter h2 { font-size: 1.1rem; margin: 1.5rem 0 0.4rem; padding: 0; border: 0; }
.letter p { margin: 0.5rem 0; }
.letter .by { font-weight: 600; margin-top: 1rem; }
.letter header { text-align: right; }
.letter .address { margin: 2rem 0; }
.letter .address p { margin: 0.7rem 0; }
.letter .date { text-align: right; }
.about { display: flex; flex-wrap: wrap; gap: 0.4rem 1.5rem; }
.blank { display: inline-block; min-width: 7rem; border-bottom: 1px solid var(--ink); font-size: 0.75rem; color: var(--soft); }
.address .blank { min-width: 18rem; }
@media print { .letter p { orphans: 3; widows: 3; } }`;
