import { parseVerifier, type Verifier } from "../audit/note.ts";
import { HoldfastError } from "../core/error.ts";
import { printable } from "../core/printable.ts";
import type { Opener } from "../seal/open.ts";
import { type CheckedBag, checkBag } from "./bag.ts";
import { type BagFile, findBag } from "./bag-file.ts";
import { Customers } from "./customers.ts";
import { byId, element } from "./element.ts";
import { blames, type Verdict, wordsOf } from "./finding.ts";
import { droppedFolder, droppedItem, isFolder, pickedFolder } from "./folder.ts";
import { plural } from "./format.ts";
import { BlobUrls } from "./media.ts";
import { openerFrom, openVersion } from "./opened.ts";
import { peopleList } from "./people-list.ts";
import { type Person, personView } from "./person.ts";
import type { Retrieval } from "./retrieval.ts";
import { requestView, statusView } from "./status.ts";
import { readZip } from "./zip.ts";

const MAX_KEY = 64 * 1024;

/** What the person at the page gave it. All of it stays in this page's memory. */
let files: readonly BagFile[] | null = null;
let opener: Opener | null = null;
let trusted: Verifier | null = null;
/** What the log key's field held when it was last read. */
let taken = "";
let checked: CheckedBag | null = null;
/** Counts what was begun: work that finds a newer number stops, and shows nothing. */
let turn = 0;
const urls = new BlobUrls();

function say(where: "bag" | "key" | "vkey", words: string, verdict: Verdict | "busy" = "good"): void {
  const said = byId(`${where}-said`);
  said.textContent = printable(words);
  said.dataset.verdict = words === "" ? "" : verdict;
}

async function takeBag(name: string, read: () => Promise<readonly BagFile[]>): Promise<void> {
  files = checked = null;
  show();
  progress("");
  say("bag", "Reading…", "busy");
  try {
    files = findBag(await read());
    say("bag", `${name}, ${plural(files.length, "file")}`);
    await check(true);
  } catch (error) {
    say("bag", wordsOf(error), blames(error) ? "bad" : "unchecked");
  }
}

async function takeKey(text: string, name: string): Promise<void> {
  opener = null;
  try {
    opener = openerFrom(text);
    say("key", `${name}. It stays in this page.`, checked === null ? "good" : "busy");
  } catch (error) {
    say("key", wordsOf(error), "bad");
  }
  await render(false);
}

/** `whole`: the person has left the field; until then what is not yet a key says nothing. */
async function takeVkey(text: string, whole: boolean): Promise<void> {
  const isKey = /^\s*$|^\s*\S+\+[0-9a-f]{8}\+\S{44}\s*$/.test(text);
  if (text === taken || !(whole || isKey)) return;
  taken = text;
  trusted = null;
  try {
    if (text.trim() !== "") trusted = parseVerifier(text.trim());
    say("vkey", trusted === null ? "" : `Everything is checked with this key, ${trusted.id}.`);
  } catch {
    say(
      "vkey",
      "This is not a log key, or a character is missing or mistyped. It reads <name>+<8 hex digits>+<base64>, on one line.",
      "bad",
    );
  }
  await check(false);
}

/** Everything that takes no private key. */
async function check(focus: boolean): Promise<void> {
  if (files === null) return;
  const mine = ++turn;
  const found = await checkBag(files, trusted, (words) => mine === turn && progress(words));
  if (mine !== turn) return;
  checked = found;
  await render(focus);
}

/** Shows the bag again: sealed, or opened where there is a key. */
async function render(focus: boolean): Promise<void> {
  const bag = checked;
  if (bag === null) return;
  const mine = ++turn;
  urls.revoke();
  const people: Person[] = [];
  for (const person of bag.people) {
    if (opener === null) {
      people.push({ ...person, opened: null });
      continue;
    }
    const opened = [];
    for (const version of person.versions) opened.push(await openVersion(version, bag.retrieval!.client, opener));
    if (mine !== turn) return;
    people.push({ ...person, opened });
    if (people.length % 20 === 0) progress(`Opening: ${people.length} of ${bag.people.length} verifications.`);
  }
  const records = people.flatMap(({ opened }) => opened ?? []);
  const proven = records.filter(({ problem, sealed }) => problem !== null && sealed.unproven === null);
  const unopened = proven.filter(({ unchecked }) => !unchecked);
  if (opener !== null && unopened.length > 0) {
    const all = unopened.length === records.length;
    say(
      "key",
      `${all ? "It opens nothing in this bag" : `It does not open ${unopened.length} of ${records.length} records`}. ${unopened[0]!.problem}`,
      "bad",
    );
  } else if (opener !== null && records.length > 0) {
    const opened = records.filter(({ record }) => record !== null).length;
    const left = records.length - opened;
    if (opened === 0) say("key", "Opens nothing: no record of this bag is proven.", "unsure");
    else if (left === 0) say("key", `Opens ${plural(opened, "record")}. It stays in this page.`);
    else say("key", `Opens ${opened} of ${records.length} records. Those that are not proven stay sealed.`, "unsure");
  }
  if (opener !== null && unopened.length === 0 && proven.length > 0)
    say(
      "key",
      `${plural(proven.length, "record")} could not be read here, so not opened. ${proven[0]!.problem}`,
      "unchecked",
    );
  if (opener !== null && records.length === 0) say("key", "There is nothing to open.", "unsure");
  const place = element("div", { id: "place" });
  const customers = new Customers(people);
  const choose = (person: Person) => showPerson(person, bag, customers, place);
  const list = people.length > 1 ? peopleList(people, customers, (person) => void choose(person)) : null;
  show(statusView(bag), requestView(bag), element("div", { class: list ? "people" : undefined }, list, place));
  if (people[0] !== undefined) await choose(people[0]);
  progress(
    {
      good: "The bag checks out.",
      unsure: "The bag is consistent with its own key.",
      unchecked: "What could be checked of the bag is intact. Not all of it could be checked.",
      bad: "The bag is not intact.",
    }[bag.verdict],
    true,
  );
  if (focus) byId("verdict").focus();
}

async function showPerson(
  person: Person,
  bag: CheckedBag,
  customers: Customers<Person>,
  place: HTMLElement,
): Promise<void> {
  const mine = turn;
  urls.revoke();
  const view = await personView(person, bag as CheckedBag & { retrieval: Retrieval }, opener, urls, customers);
  if (mine === turn) place.replaceChildren(view);
}

function show(...views: (HTMLElement | null)[]): void {
  byId("result").replaceChildren(...views.filter((view) => view !== null));
}

/** `done`: the verdict says it to the eye; this says it to people who listen. */
function progress(words: string, done = false): void {
  const said = byId("progress");
  said.textContent = printable(words);
  said.classList.toggle("unseen", done);
}

/** A file by itself is the zip of a bag, or a key. */
async function takeFile(file: File): Promise<void> {
  const head = new TextDecoder("latin1").decode(await file.slice(0, 4).arrayBuffer());
  if (head === "PK\x03\x04" || /\.zip$/i.test(file.name)) return takeBag(file.name, () => readZip(file));
  if (file.size <= MAX_KEY) return takeKey(await file.text(), file.name);
  say("bag", "This is neither a bag nor a key. Drop the folder of the bag, or its zip.", "bad");
}

async function takeDrop({ items }: DataTransfer): Promise<void> {
  // Only while the event lasts does the browser give these out.
  const dropped = [...items].map((item) => ({ given: droppedItem(item), file: item.getAsFile() }));
  for (const { given, file } of dropped) {
    const entry = await given;
    if (entry !== null && isFolder(entry)) await takeBag(entry.name, () => droppedFolder(entry));
    else if (file !== null) await takeFile(file);
  }
}

function onPick(id: string, take: (picked: File[]) => Promise<void>): void {
  const input = byId<HTMLInputElement>(id);
  input.addEventListener("change", () => {
    const picked = [...(input.files ?? [])];
    input.value = ""; // so that the same may be picked again
    if (picked.length > 0) void guarded(take(picked));
  });
}

async function guarded(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    show(
      element(
        "section",
        { class: "verdict unchecked" },
        element("h2", {}, "The page could not finish"),
        element("p", {}, `${wordsOf(error)} That says nothing about the bag.`),
      ),
    );
  }
}

onPick("folder", (picked) =>
  takeBag(picked[0]!.webkitRelativePath.split("/")[0] || "Folder", async () => pickedFolder(picked)),
);
onPick("zip", ([zip]) => takeBag(zip!.name, () => readZip(zip!)));
onPick("key", async ([file]) => {
  if (file!.size > MAX_KEY) say("key", wordsOf(new HoldfastError("key", "This file is too large to be a key")), "bad");
  else await takeKey(await file!.text(), file!.name);
});
const vkeyField = byId<HTMLTextAreaElement>("vkey");
vkeyField.addEventListener("input", () => void guarded(takeVkey(vkeyField.value, false)));
vkeyField.addEventListener("change", () => void guarded(takeVkey(vkeyField.value, true)));
byId("print").addEventListener("click", () => print());
for (const name of ["dragenter", "dragover", "dragleave", "drop"] as const) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", name === "dragenter" || name === "dragover");
    if (name === "drop" && event.dataTransfer) void guarded(takeDrop(event.dataTransfer));
  });
}
// On paper no one can unfold anything. The provider's answer is left out: the table has all of it.
const folded = new Set<HTMLDetailsElement>();
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll<HTMLDetailsElement>("details:not([open], .raw)")) {
    folded.add(details);
    details.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
  folded.clear();
});
