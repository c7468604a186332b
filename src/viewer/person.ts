import type { Identity } from "../core/identity.ts";
import type { Opener } from "../seal/open.ts";
import type { CheckedBag, CheckedPerson } from "./bag.ts";
import { comparisonViews, versionAmong } from "./comparison.ts";
import { custodyView } from "./custody.ts";
import { type Customers, sourceOf } from "./customers.ts";
import { element, foreign } from "./element.ts";
import type { Check } from "./finding.ts";
import { cut } from "./format.ts";
import { type BlobUrls, mediaView } from "./media.ts";
import { type OpenedVersion, openFile } from "./opened.ts";
import { gapsView, OUTCOMES, outcomeView, verdictOn } from "./outcome.ts";
import { providerIdOf, providerOf } from "./provider.ts";
import { rawAnswersView } from "./raw-answers.ts";
import type { Retrieval } from "./retrieval.ts";
import { verdictOf } from "./sealed-record.ts";
import { checkList } from "./status.ts";
import { fromProvider } from "./table.ts";

/** A person of the bag. `opened` is null without a private key: then only what the log tells is shown. */
export interface Person extends CheckedPerson {
  readonly opened: readonly OpenedVersion[] | null;
}

export function personName(person: Person): string {
  return givenName(person) ?? `Token ${person.subject.slice(0, 8)}…`;
}

/** As the provider has it; null while all records are sealed, and where the newest has no name. */
function givenName({ opened: versions }: Person): string | null {
  const identity = versions?.findLast(({ record }) => record !== null)?.record?.identity as
    | Partial<Identity>
    | undefined;
  const { firstName, lastName } = identity?.owner ?? {};
  const name = [firstName, lastName].filter((part) => typeof part === "string" && part !== "").join(" ");
  return name ? cut(name, MAX_NAME) : null;
}

/** Whether the identity was verified, in the newest version that is open; null while all are sealed. */
export function outcomeOf({ opened }: Person): string | null {
  const record = opened?.findLast(({ record }) => record !== null)?.record;
  if (!record) return null;
  const { verified } = record.identity as { readonly verified?: unknown };
  return OUTCOMES[verdictOn(verified)];
}

const MAX_NAME = 120;

export async function personView(
  person: Person,
  bag: CheckedBag & { readonly retrieval: Retrieval },
  opener: Opener | null,
  urls: BlobUrls,
  customers: Customers<Person>,
): Promise<HTMLElement> {
  const { subject, versions, opened, trail } = person;
  const named = versions.map((sealed) => ({ sealed }));
  const contents =
    opener !== null && opened !== null && opened.length > 0 ? await openedView(opened, opener, urls) : null;
  return element(
    "article",
    { class: "person", "aria-labelledby": "person" },
    element(
      "header",
      {},
      givenName(person) !== null && element("p", { class: "aside" }, "Name ", fromProvider()),
      element("h2", { id: "person" }, element("bdi", {}, personName(person))),
      originView(person),
      customerView(person, customers),
      element("p", { class: "aside" }, "Token ", element("code", {}, subject)),
      bag.people.length > 1 &&
        element(
          "p",
          { class: "aside paper" },
          `One of ${bag.people.length} verifications in this bag. Each is printed separately.`,
        ),
    ),
    opener === null && element("p", { class: "waiting" }, "Sealed. Add a private key above to read what is inside."),
    contents,
    element(
      "section",
      { "aria-labelledby": "custody" },
      element("h3", { id: "custody" }, "Chain of custody"),
      custodyView(trail, bag.retrieval, bag.trusted),
    ),
    element(
      "section",
      { "aria-labelledby": "proofs" },
      element("h3", { id: "proofs" }, "Proof of each record"),
      versions.map((sealed, i) => {
        const problem = opened?.[i]?.problem ?? null;
        const signed = bag.checks.find(({ title }) => title === "Signature of the log");
        const checks: Check[] = [...sealed.checks, ...(signed ? [signed] : [])];
        if (opened !== null) {
          // A wrong key says nothing against the record.
          const sealedStill = opened[i]?.unchecked ? "unchecked" : verdictOf(sealed, "unsure");
          checks.push({
            title: problem === null ? "Decryption" : "Still sealed",
            verdict: problem === null ? "good" : sealedStill,
            badge: problem === null ? undefined : "Not opened",
            words: problem ?? "Your key opened it, and all of it was read and checked before any of it was shown.",
          });
        }
        return element(
          "div",
          { class: "proof" },
          element("h4", {}, `Version of ${versionAmong(named[i]!, named)}`),
          checkList(checks),
        );
      }),
    ),
  );
}

/** `Persona inquiry “inq_…”`: two records of one customer differ in it. Before it is open, the source by the log. */
function originView(person: Person): HTMLElement | null {
  const { opened } = person;
  const [provider, id, source] = [providerOf(opened), providerIdOf(opened), sourceOf(person)];
  if (provider === null)
    return source === null ? null : element("p", { class: "aside" }, `Source ${source}, according to the log`);
  const words = id === null ? provider.name : `${provider.name} ${provider.identity} `;
  return element("p", { class: "aside" }, words, id !== null && foreign(id));
}

/** That another verification of the bag is of the same customer, and what shows it. */
function customerView(person: Person, customers: Customers<Person>): HTMLElement | null {
  const shared = customers.sharedBy(person);
  if (shared === undefined) return null;
  const others = shared.others.map((other, at) => {
    const source = providerOf(other.opened)?.name ?? sourceOf(other);
    return [at > 0 && ", ", element("code", {}, `${other.subject.slice(0, 8)}…`), source !== null && ` (${source})`];
  });
  return element(
    "p",
    { class: "same-customer" },
    "Same customer as token ",
    ...others,
    `: the log has the same ${shared.what} for ${shared.others.length > 1 ? "all" : "both"}.`,
  );
}

async function openedView(versions: readonly OpenedVersion[], opener: Opener, urls: BlobUrls): Promise<HTMLElement> {
  const shown = element("div", {});
  const select = (id: string, first: HTMLOptionElement | null) =>
    element(
      "select",
      { id },
      first,
      versions.map((each, i) => element("option", { value: String(i) }, versionAmong(each, versions))).reverse(),
    );
  const version = select("version", null);
  const other = select("compared", element("option", { value: "" }, "none"));
  version.value = String(versions.length - 1);
  other.value = versions.length > 1 ? String(versions.length - 2) : "";

  let turn = 0;
  async function show(): Promise<void> {
    const mine = ++turn;
    const newer = versions[Number(version.value)]!;
    const older = other.value === "" || other.value === version.value ? null : versions[Number(other.value)]!;
    const { record } = newer;
    const files = [];
    for (const file of record?.files ?? []) files.push(await openFile(file, newer, versions, opener));
    if (mine !== turn) return;
    urls.revoke();
    shown.replaceChildren(
      record === null ? "" : outcomeView(record),
      ...(record === null ? [] : gapsView(record)),
      ...comparisonViews(newer, older, versions),
      record === null
        ? ""
        : element(
            "section",
            { "aria-labelledby": "media" },
            element("h3", { id: "media" }, "Documents and video"),
            mediaView(files, record, urls),
          ),
      (record === null ? null : rawAnswersView(record)) ?? "",
    );
  }
  version.addEventListener("change", () => void show());
  other.addEventListener("change", () => void show());
  await show();
  return element(
    "div",
    {},
    versions.length > 1 &&
      element(
        "div",
        { class: "choose", role: "group", "aria-label": "Versions" },
        element("label", {}, "Version ", version),
        element("label", {}, "compared with ", other),
      ),
    shown,
  );
}
