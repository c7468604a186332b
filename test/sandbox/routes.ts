/** Paths of the API, and their JSON answers. */
import type { Endpoint } from "./counters.ts";
import { innerId } from "./id.ts";
import { makeIdentity } from "./identity.ts";
import type { Population } from "./population.ts";
import { type FileContent, findFile, makeResources } from "./resource.ts";

export const BASE_PATH = "/verification/v2";
const LARGEST_PAGE = 500;

export type Answer =
  | { readonly endpoint: Endpoint; readonly status: number; readonly text: string }
  | { readonly endpoint: "file"; readonly status: 200; readonly content: FileContent };

export interface RouteOptions {
  readonly pageSize: number;
  readonly files: boolean;
  readonly withheld: (fileId: string) => boolean;
}

export function endpointOf(pathname: string): Endpoint {
  const parts = pathname.slice(BASE_PATH.length + 1).split("/");
  if (!pathname.startsWith(`${BASE_PATH}/`)) return "other";
  if (parts[0] === "settings" && parts.length === 1) return "settings";
  if (parts[0] === "identities" && parts.length <= 2) return parts.length === 1 ? "identities" : "identity";
  if (parts[0] !== "identity" || parts[2] !== "resources") return "other";
  if (parts.length === 3) return "resources";
  if (parts.length === 4) return "resource";
  return parts.length === 6 && parts[4] === "resource_files" ? "file" : "other";
}

export function errorText(status: number, message: string): string {
  return JSON.stringify({ error: { code: status, message } });
}

const notFound = (endpoint: Endpoint): Answer => ({ endpoint, status: 404, text: errorText(404, "not found") });
const json = (endpoint: Endpoint, value: unknown): Answer => ({ endpoint, status: 200, text: JSON.stringify(value) });

// A cursor is the position to continue from. It survives identities that are added or removed in the meantime.
const cursorAt = (position: number) => Buffer.from(`after:${position}`).toString("base64url");

function position(cursor: string | null): number | undefined {
  if (!cursor) return 0; // the official client sends an empty one for the first page
  const match = /^after:(\d{1,9})$/.exec(Buffer.from(cursor, "base64url").toString());
  return match ? Number(match[1]) : undefined;
}

function pageLimit(text: string | null, pageSize: number): number | undefined {
  if (!text) return pageSize;
  return /^[1-9]\d{0,8}$/.test(text) ? Math.min(Number(text), LARGEST_PAGE) : undefined;
}

export function identityText(population: Population, index: number): string {
  return JSON.stringify(makeIdentity(population, index));
}

function listIdentities(population: Population, query: URLSearchParams, pageSize: number): Answer {
  const endpoint = "identities";
  const from = position(query.get("cursor"));
  const limit = pageLimit(query.get("limit"), pageSize);
  if (from === undefined) return { endpoint, status: 400, text: errorText(400, "invalid cursor") };
  if (limit === undefined) return { endpoint, status: 400, text: errorText(400, "invalid limit") };
  const texts: string[] = [];
  let next: number | undefined;
  for (const index of population.indexes(from)) {
    if (texts.length === limit) {
      next = index;
      break;
    }
    texts.push(identityText(population, index));
  }
  const cursor = JSON.stringify({ next: next === undefined ? null : cursorAt(next) });
  return { endpoint, status: 200, text: `{"cursor":${cursor},"data":[${texts.join(",")}]}` };
}

function settings(population: Population): unknown {
  return {
    id: innerId(population.seed, 0xffffffff, 9),
    slug: "holdfast-sandbox",
    environment: "sandbox",
    organization: "Specimen Bank (does not exist)",
    customizations: { main_color: "#12322f", button_color: "#3f8f86", font_family: "Lato" },
    verification_steps: [
      { step: "SELFIE_VIDEO", resource_types: ["SELFIE_VIDEO"] },
      { step: "IDENTIFICATION", resource_types: ["PASSPORT", "NATIONAL_ID_CARD", "DRIVERS_LICENSE"] },
    ],
  };
}

/** Answers a GET. `url` must be below BASE_PATH and authorised. */
export function answer(population: Population, url: URL, options: RouteOptions): Answer {
  const endpoint = endpointOf(url.pathname);
  if (endpoint === "other") return notFound(endpoint);
  if (endpoint === "settings") return json(endpoint, settings(population));
  if (endpoint === "identities") return listIdentities(population, url.searchParams, options.pageSize);

  const [, id = "", , resourceId = "", , fileId = ""] = url.pathname.slice(BASE_PATH.length + 1).split("/");
  const index = population.find(id);
  if (index === undefined) return notFound(endpoint);
  if (endpoint === "identity") return { endpoint, status: 200, text: identityText(population, index) };
  if (endpoint === "file") {
    const content = options.files ? findFile(population, index, resourceId, fileId) : undefined;
    if (!content) return notFound(endpoint);
    if (options.withheld(fileId)) return { endpoint, status: 403, text: errorText(403, "not granted") };
    return { endpoint, status: 200, content };
  }
  const resources = makeResources(population, index, options.files);
  if (endpoint === "resource") {
    const resource = resources.find((candidate) => candidate.id === resourceId);
    return resource ? json(endpoint, resource) : notFound(endpoint);
  }
  const from = position(url.searchParams.get("cursor"));
  if (from === undefined) return { endpoint, status: 400, text: errorText(400, "invalid cursor") };
  const upTo = from + options.pageSize;
  const next = upTo < resources.length ? cursorAt(upTo) : null;
  return json(endpoint, { cursor: { next }, data: resources.slice(from, upTo) });
}
