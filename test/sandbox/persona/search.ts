/** `POST /inquiries/search`: it sees what the search index knows, which lags behind a change. */
import { type Course, course, personOf } from "./course.ts";
import { personaId, placeOf } from "./id.ts";
import { traits } from "./inquiry.ts";
import { checkedPage, cut, type Page, type Rows } from "./paging.ts";
import { badRequest } from "./refusal.ts";
import type { World } from "./world.ts";

interface Row {
  readonly index: number;
  readonly state: Course;
}

type Values = Readonly<Record<string, unknown>>;
type Comparable = string | number | null;
const ATTRIBUTES = ["status", "created_at", "updated_at", "reference_id", "inquiry_template_id"];
const [DEEPEST, MOST] = [2, 20];

function attributeOf(world: World, { index, state }: Row, attribute: string): Comparable {
  if (attribute === "status") return state.status;
  if (attribute === "created_at") return state.created;
  if (attribute === "updated_at") return state.updated;
  if (attribute === "reference_id") return traits(world, index).referenced ? personOf(world, index).customer : null;
  return personaId(world.seed, "itmpl", 0);
}

function known(attribute: unknown): string {
  if (typeof attribute !== "string" || !ATTRIBUTES.includes(attribute))
    throw badRequest(`attribute must be one of ${ATTRIBUTES.join(", ")}`);
  return attribute;
}

const OPERATORS: Readonly<Record<string, (a: string | number, b: string | number) => boolean>> = {
  eq: (a, b) => a === b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

function predicate(world: World, query: Values): (row: Row) => boolean {
  const attribute = known(query.attribute);
  const compare = OPERATORS[String(query.operator)];
  if (!compare || !Object.hasOwn(OPERATORS, String(query.operator))) throw badRequest("operator is not supported");
  const given = query.value;
  if (typeof given !== "string" && typeof given !== "number") throw badRequest("value is missing");
  const wanted = attribute.endsWith("_at") ? Date.parse(String(given)) : given;
  if (Number.isNaN(wanted)) throw badRequest("value must be a time");
  return (row) => {
    const value = attributeOf(world, row, attribute);
    return value !== null && compare(value, wanted);
  };
}

function matcher(world: World, query: unknown, depth = 0): (row: Row) => boolean {
  if (typeof query !== "object" || query === null) throw badRequest("query must be an object");
  const { and, or, not } = query as Values;
  const clauses = and ?? or;
  if (clauses === undefined && not === undefined) return predicate(world, query as Values);
  if (depth >= DEEPEST) throw badRequest("query is nested too deeply");
  if (clauses === undefined) {
    const inner = matcher(world, not, depth + 1);
    return (row) => !inner(row);
  }
  if (!Array.isArray(clauses) || clauses.length > MOST) throw badRequest("query must have at most 20 clauses");
  const parts = clauses.map((clause) => matcher(world, clause, depth + 1));
  return (row) => (and === undefined ? parts.some((part) => part(row)) : parts.every((part) => part(row)));
}

export class Search {
  readonly #world: World;
  /** Where a page ended: the walk goes on from there even if its last row has moved since. */
  readonly #ends = new Map<string, Comparable>();

  constructor(world: World) {
    this.#world = world;
  }

  answer(body: unknown, query: URLSearchParams): { found: Rows<{ id: string; index: number }>; page: Page } {
    if (typeof body !== "object" || body === null || Array.isArray(body)) throw badRequest("body must be an object");
    const { query: asked, sort, page: bodyPage, ...others } = body as Values;
    const [other] = Object.keys(others);
    if (other !== undefined) throw badRequest(`${other} is not allowed`);
    const { size, after, before } = (bodyPage ?? {}) as Values;
    const get = (name: string) => query.get(`page[${name}]`) ?? undefined;
    const page = checkedPage(size ?? get("size"), after ?? get("after"), before ?? get("before"));
    const { attribute = "created_at", direction = "desc" } = (sort ?? {}) as Values;
    const by = known(attribute);
    const sign = direction === "asc" ? 1 : -1;
    const matches = asked === undefined ? () => true : matcher(this.#world, asked);
    const value = (row: Row) => attributeOf(this.#world, row, by) ?? "";
    const order = (a: Comparable, i: number, b: Comparable, j: number) =>
      sign * (a === b ? i - j : (a ?? "") < (b ?? "") ? -1 : 1);
    const rows = this.#indexed()
      .filter(matches)
      .map((row) => ({ id: "", index: row.index, value: value(row) }))
      .sort((a, b) => order(a.value, a.index, b.value, b.index));
    const found = cut(rows, page, (id) => {
      const place = placeOf(this.#world.seed, id);
      if (place?.kind !== "inq" || place.index >= this.#world.size) throw badRequest("page.after is not found");
      const now = value({ index: place.index, state: course(this.#world, place.index) });
      const end = this.#ends.get(`${by} ${id}`) ?? now;
      const at = rows.findIndex((row) => order(row.value, row.index, end, place.index) >= 0);
      const here = rows[at];
      return { at: at < 0 ? rows.length : at, found: here?.index === place.index && here.value === end };
    });
    const named = found.rows.map((row) => ({ ...row, id: personaId(this.#world.seed, "inq", row.index) }));
    const last = named.at(-1);
    if (last && found.later) this.#ends.set(`${by} ${last.id}`, last.value);
    return { found: { ...found, rows: named }, page };
  }

  #indexed(): Row[] {
    const rows: Row[] = [];
    for (let index = 0; index < this.#world.size; index++) {
      const fate = this.#world.has(index) ? this.#world.indexedFate(index) : undefined;
      if (fate) rows.push({ index, state: course(this.#world, index, fate) });
    }
    return rows;
  }
}
