import { object } from "../answer.ts";
import type { Project } from "../source.ts";
import { parsed } from "./answers.ts";

const REGION = /^api\.([a-z]{2})\.onfido\.com$/;

/**
 * Onfido names no account in any answer, and a token is replaced now and then. So a project is a region and whether it
 * is the sandbox: two accounts of one client there are told apart by the client's config alone.
 */
export function projectOf(api: string, apiKey: string, name: string, applicants: string): Project {
  const { hostname } = new URL(api);
  const region = REGION.exec(hostname)?.[1] ?? hostname;
  const environment = environmentOf(apiKey) ?? marked(name, applicants) ?? "unknown";
  return { id: `onfido ${region} ${environment}`, name: `Onfido ${region}`, environment };
}

function environmentOf(apiKey: string): string | undefined {
  const [, kind] = /^(api_sandbox|api_live|test|live)[._]/.exec(apiKey) ?? [];
  if (kind === undefined) return undefined;
  return kind === "api_live" || kind === "live" ? "production" : "sandbox";
}

/** What an applicant says of itself: client credentials have no such prefix. */
function marked(name: string, applicants: string): string | undefined {
  const { applicants: rows } = object(parsed(name, applicants));
  const { sandbox } = object(Array.isArray(rows) ? rows[0] : undefined);
  if (typeof sandbox !== "boolean") return undefined;
  return sandbox ? "sandbox" : "production";
}
