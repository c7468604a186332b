/** What the sandbox answers for a path: about a session, an attempt or a medium, whose bare id the request signs. */
import { course } from "./course.ts";
import { placeOf } from "./id.ts";
import {
  hasDecision,
  hasRegistry,
  makeAttempts,
  makeDecision,
  makeMedia,
  makePerson,
  makeRegistry,
  makeWatchlist,
  type Wire,
} from "./objects.ts";
import { forbidden, inProgress, missing, notCompleted, readOnly, unnamed } from "./refusal.ts";
import type { Medium, Shelf } from "./shelf.ts";
import { REGISTRIES, type Registry, type World } from "./world.ts";

export const BASE_PATH = "/v1";

const OF_SESSION = ["decision", "attempts", "media", "person", "watchlist-screening"] as const;
export type Endpoint = (typeof OF_SESSION)[number] | Registry | "attempt-media" | "file" | "other";

export interface Route {
  readonly endpoint: Endpoint;
  /** What the signature is over. */
  readonly id: string;
}

export function routeOf(pathname: string): Route {
  const [, first, id = "", last, ...more] = pathname.startsWith(`${BASE_PATH}/`)
    ? pathname.slice(BASE_PATH.length).split("/")
    : [];
  const registry = REGISTRIES.find((name) => first === "sessions" && last === "decision" && more.join("/") === name);
  if (registry !== undefined && id !== "") return { endpoint: registry, id };
  if (more.length === 0 && id !== "") {
    if (first === "sessions") {
      const endpoint = OF_SESSION.find((name) => name === last);
      if (endpoint !== undefined) return { endpoint, id };
    }
    if (first === "attempts" && last === "media") return { endpoint: "attempt-media", id };
    if (first === "media" && last === undefined) return { endpoint: "file", id };
  }
  return { endpoint: "other", id };
}

export interface Asked {
  readonly world: World;
  readonly shelf: Shelf;
  /** The API's base, which begins the URLs of media. */
  readonly base: string;
  /** Tells one answer from the next: the order of lists changes by itself. */
  readonly answer: number;
}

export type Made = { readonly kind: "json"; readonly value: Wire } | { readonly kind: "file"; readonly medium: Medium };

export function answer(method: string, { endpoint, id }: Route, about: Asked): Made {
  const { world, shelf, base } = about;
  if (endpoint === "other") throw unnamed();
  if (method !== "GET") throw readOnly();
  const json = (value: Wire): Made => ({ kind: "json", value });
  if (endpoint === "file") {
    const medium = shelf.find(id);
    if (!medium) throw missing("Media");
    return { kind: "file", medium };
  }
  if (endpoint === "attempt-media") {
    const place = placeOf(world.seed, "attempt", id);
    if (!place || !world.has(place.index) || !course(world, place.index).attempts[place.at]) throw missing("Attempt");
    return json(makeMedia(shelf, shelf.of(place.index, place.at), base, about.answer));
  }
  const index = placeOf(world.seed, "session", id)?.index ?? -1;
  if (!world.has(index)) throw missing("Session");
  switch (endpoint) {
    case "decision":
      return json(makeDecision(world, index));
    case "attempts":
      return json(makeAttempts(world, index, about.answer));
    case "media":
      // The most recent attempt only.
      return json(makeMedia(shelf, shelf.of(index, course(world, index).attempts.length - 1), base, about.answer));
    case "person":
      return json(makePerson(world, index));
    case "watchlist-screening":
      if (!world.options.screens) throw forbidden();
      if (!hasDecision(world, index)) throw course(world, index).status === "created" ? notCompleted() : inProgress();
      return json(makeWatchlist(world, index));
    default:
      if (!world.options.registries.includes(endpoint)) throw forbidden();
      if (!hasRegistry(world, index)) throw missing("Registry result");
      return json(makeRegistry(world, index, endpoint));
  }
}
