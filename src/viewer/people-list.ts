import { versionName } from "./comparison.ts";
import { type Customers, sourceOf } from "./customers.ts";
import { element } from "./element.ts";
import { day, plural } from "./format.ts";
import { outcomeOf, type Person, personName } from "./person.ts";
import { providerOf } from "./provider.ts";

/** So many are found by looking. */
const FEW = 10;

interface Item {
  readonly person: Person;
  readonly row: HTMLElement;
  readonly button: HTMLButtonElement;
  /** What a search looks in: what the row shows, and all of the token. */
  readonly text: string;
}

/** An order that people can choose, by what the page shows of each person. */
interface Order {
  readonly name: string;
  readonly compare: (one: Item, other: Item) => number;
}

const byText = (textOf: (person: Person) => string) => (one: Item, other: Item) =>
  textOf(one.person).localeCompare(textOf(other.person), "en");

/** Every verification in the bag; where there are many, with a search and an order. */
export function peopleList(
  people: readonly Person[],
  customers: Customers<Person>,
  choose: (person: Person) => void,
): HTMLElement {
  const items = people.map((person, at) => itemOf(person, customers, at === 0));
  const list = element(
    "ul",
    {},
    items.map(({ row }) => row),
  );
  for (const { person, button } of items) {
    button.addEventListener("click", () => {
      for (const other of items) other.button.removeAttribute("aria-current");
      button.setAttribute("aria-current", "true");
      choose(person);
    });
  }
  return element(
    "nav",
    { "aria-label": "Verifications in this bag" },
    element("h2", {}, `${people.length} verifications`),
    people.length > FEW ? searchOf(items) : null,
    people.length > FEW ? sortOf(items, list) : null,
    list,
  );
}

function itemOf(person: Person, customers: Customers<Person>, current: boolean): Item {
  const { subject, versions } = person;
  const sealed = versions.flatMap((version) => [version, ...version.files]);
  const isBad = sealed.some(({ unproven, unchecked }) => unproven !== null && !unchecked);
  const doubt = isBad ? "not proven" : sealed.some(({ unchecked }) => unchecked) ? "not checked" : null;
  const name = personName(person);
  const shared = customers.sharedBy(person);
  const said = [providerOf(person.opened)?.name ?? sourceOf(person), newestDay(person), outcomeOf(person), doubt];
  const about = said.filter((words) => typeof words === "string").join(", ");
  const button = element(
    "button",
    { type: "button", "aria-current": current ? "true" : undefined },
    element("strong", {}, element("bdi", {}, name)),
    element("span", {}, about),
    versions.length > 1 && element("span", {}, plural(versions.length, "version")),
    shared && element("span", {}, `Same customer as ${shared.others.map(calledInList).join(", ")}`),
  );
  return { person, button, row: element("li", {}, button), text: folded(`${name} ${about} ${subject}`) };
}

/** The other verification of one customer, as its row has it. */
function calledInList(other: Person): string {
  const whose = providerOf(other.opened)?.name ?? sourceOf(other);
  return [personName(other), ...(whose === null ? [] : [whose])].join(", ");
}

/** What people type and what the provider has may differ in case, in width, and in how accents are composed. */
function folded(text: string): string {
  return text.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}

function newestDay({ versions }: Person): string | null {
  const newest = versions.at(-1);
  return newest === undefined ? null : day(versionName({ sealed: newest }));
}

function searchOf(items: readonly Item[]): HTMLElement {
  const input = element("input", { type: "search", "aria-label": "Find a person", placeholder: "Find a person" });
  const found = element("p", { class: "aside", role: "status" });
  input.addEventListener("input", () => {
    const words = folded(input.value).trim().split(/\s+/);
    let count = 0;
    for (const { row, text } of items) {
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) count += 1;
    }
    found.textContent = input.value.trim() === "" ? "" : `${count} found`;
  });
  return element("div", {}, input, found);
}

function sortOf(items: readonly Item[], list: HTMLElement): HTMLElement {
  const isOpened = items.some(({ person }) => person.opened !== null);
  const newest = ({ versions }: Person) => versions.at(-1)?.version ?? "";
  const orders: readonly Order[] = [
    { name: "As in the bag", compare: () => 0 },
    { name: isOpened ? "Name" : "Token", compare: byText(isOpened ? personName : ({ subject }) => subject) },
    { name: "Newest first", compare: (one, other) => byText(newest)(other, one) },
    ...(isOpened ? [{ name: "Outcome", compare: byText((person) => outcomeOf(person) ?? "") }] : []),
  ];
  const select = element(
    "select",
    { "aria-label": "Order" },
    orders.map(({ name }, at) => element("option", { value: String(at) }, name)),
  );
  select.addEventListener("change", () => {
    const { compare } = orders[Number(select.value)]!;
    list.replaceChildren(...items.toSorted(compare).map(({ row }) => row));
  });
  return select;
}
