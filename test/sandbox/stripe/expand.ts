/** `expand[]`: which members an answer shows in full. */
import { badRequest } from "./refusal.ts";

/** The names below each name that is expanded. */
export type Tree = ReadonlyMap<string, Tree>;
interface Growing extends Map<string, Growing> {}

const DEEPEST = 4;

const REPORT = {
  document: ["dob", "expiration_date", "number", "sex", "unparsed_place_of_birth", "unparsed_sex"],
  id_number: ["dob", "id_number"],
};
const VERIFIED = ["dob", "id_number", "sex", "unparsed_place_of_birth", "unparsed_sex"];

/** Every path that each object can expand. Those that name a single value are the sensitive ones. */
const REPORT_PATHS = Object.entries(REPORT).flatMap(([part, names]) => names.map((name) => `${part}.${name}`));
const PATHS: Readonly<Record<string, readonly string[]>> = {
  session: [
    "verified_outputs",
    ...VERIFIED.map((name) => `verified_outputs.${name}`),
    "last_verification_report",
    ...REPORT_PATHS.map((path) => `last_verification_report.${path}`),
  ],
  report: REPORT_PATHS,
  file: [],
  link: ["file"],
  event: [],
  account: [],
};

/** Values of `name[]` or `name[0]`, as curl and the SDK write arrays. */
export function valuesOf(query: URLSearchParams, name: string): string[] {
  return [...query].filter(([key]) => new RegExp(`^${name}\\[\\d*\\]$`).test(key)).map(([, value]) => value);
}

export function expansions(kind: string, query: URLSearchParams, list: boolean): Tree {
  const tree: Growing = new Map();
  for (const path of valuesOf(query, "expand")) {
    const names = path.split(".");
    if (names.length > DEEPEST) throw badRequest(`You cannot expand more than ${DEEPEST} levels (${path}).`, "expand");
    const inner = list ? path.replace(/^data\./, "") : path;
    if ((list && inner === path) || !PATHS[kind]?.includes(inner))
      throw badRequest(`This property cannot be expanded (${path}).`, "expand");
    let at = tree;
    for (const name of inner.split(".")) {
      const below: Growing = at.get(name) ?? new Map();
      at.set(name, below);
      at = below;
    }
  }
  return tree;
}

/** Whether the tree names anything that only a restricted key with that right sees. */
export function sensitive(tree: Tree, path = ""): boolean {
  return [...tree].some(([name, below]) => {
    const here = path === "" ? name : `${path}.${name}`;
    const single = /(verified_outputs|document|id_number)\.[a-z_]+$/.test(here);
    return single || sensitive(below, here);
  });
}
