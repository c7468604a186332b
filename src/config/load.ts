import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { HoldfastError } from "../core/error.ts";
import { readBounded } from "../io/bounded-file.ts";
import { PROVIDERS } from "../provider/provider.ts";
import type { ClientConfig, Config, ScheduleConfig } from "./config.ts";
import { parseDocument } from "./document.ts";
import { NO_FOLDER } from "./path.ts";
import { presetOf } from "./presets.ts";
import { type ConfigFinding, type ConfigProblem, configError, type Path } from "./problem.ts";
import { parseRate } from "./rate.ts";
import { brokenRules } from "./rules.ts";
import { checkConfig, type ParsedConfig } from "./schema.ts";
import type { FolderSourceConfig, SourceConfig } from "./source-config.ts";
import { unknownKey } from "./unknown-key.ts";
import { USUAL_SCHEME } from "./webhook.ts";

/** A thousand clients use a quarter of this. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads, checks and resolves a config file.
 * @throws HoldfastError "config" that lists all problems, each with file, line, path and hint, but never a value that
 * may
 *   be a secret; "recipients" if only recipients are wrong.
 */
export async function loadConfig(path: string): Promise<Config> {
  const { text, isRegular } = await readConfig(path);
  return parseConfig(text, path, isRegular ? dirname(resolve(path)) : NO_FOLDER);
}

/** Like `loadConfig`, for a text. `path` names it in errors; relative paths are resolved against `folder`. */
export async function parseConfig(text: string, path: string, folder = dirname(resolve(path))): Promise<Config> {
  if (Buffer.byteLength(text) > MAX_BYTES) throw tooLarge(path);
  const document = parseDocument(text);
  if ("problems" in document) throw configError(path, document.problems);
  const { value, lineOf } = document;
  const file = resolve(path);

  const result = await checkConfig(value, folder);
  const issues = result.success ? [] : result.error.issues.flatMap((issue) => problemsOf(issue, value));
  const found = [...issues, ...brokenRules(value, file, folder)];
  const problems = found.map(({ path, text, at }: Found): ConfigProblem => {
    // clients[0].recipients…
    const code = path[2] === "recipients" ? "recipients" : "config";
    return { path, text, code, line: lineOf(at ?? path) };
  });
  if (!result.success || problems.length > 0) throw configError(path, problems);
  return build(file, result.data);
}

/** The clients a command applies to: all of them, or those named. @throws HoldfastError "usage" for an unknown id. */
export function selectClients(config: Config, ids: readonly string[] = []): readonly ClientConfig[] {
  if (ids.length === 0) return config.clients;
  const known = config.clients.map(({ id }) => id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    const names = unknown.map((id) => JSON.stringify(id)).join(", ");
    throw new HoldfastError("usage", `no client in ${config.file} is called ${names}`, {
      hint: `Name one of: ${known.join(", ")}.`,
    });
  }
  return config.clients.filter(({ id }) => ids.includes(id));
}

async function readConfig(path: string): Promise<{ text: string; isRegular: boolean }> {
  let bytes: Buffer;
  let isRegular: boolean;
  try {
    const read = await readBounded(path, MAX_BYTES);
    if (read.bytes === undefined) throw tooLarge(path);
    ({ bytes, isRegular } = { ...read, bytes: read.bytes });
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") {
      const hint = "Create one with `holdfast new`, or name another file with --config.";
      throw new HoldfastError("config", `config file not found: ${path}`, { hint, cause });
    }
    const hint = "Make it readable for the user that runs Holdfast, or name another file with --config.";
    throw new HoldfastError("config", `cannot read the config file ${path} (${code})`, { hint, cause });
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), isRegular };
  } catch (cause) {
    throw new HoldfastError("config", `the config file ${path} is not UTF-8 text`, {
      hint: "Save it as UTF-8.",
      cause,
    });
  }
}

function tooLarge(path: string): HoldfastError {
  const hint =
    "Check that this is the config file. A large config can be split into several files, each run separately.";
  return new HoldfastError("config", `the config file ${path} is larger than ${MAX_BYTES} bytes`, { hint });
}

/** `at` is where to look for the line, if not at the path. */
interface Found extends ConfigFinding {
  readonly at?: Path;
}

function problemsOf(issue: z.core.$ZodIssue, document: unknown): Found[] {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  if (issue.code !== "unrecognized_keys") return [{ path, text: issue.message }];
  return issue.keys.map((key) => ({ path, at: [...path, key], text: unknownKey(path, key, document) }));
}

function build(file: string, parsed: ParsedConfig): Config {
  const clients = parsed.clients.map(({ source, sources = source ? [source] : [], ...client }): ClientConfig => {
    const schedule = ownSchedule(client.schedule, parsed.schedule);
    return {
      ...client,
      sources: sources.map((each) => sourceOf(each, schedule)),
      legalBasis: client.legalBasis.length > 0 ? client.legalBasis : citation(client.retention.preset),
      state: join(parsed.state, client.id),
      schedule,
      minimal: { overAge: client.minimal.overAge.toSorted((one, other) => one - other) },
    };
  });
  return { ...parsed, file, clients };
}

/** A client that names no law of its own gets its preset's citation in every record. */
function citation(preset: string | undefined): string[] {
  const taken = presetOf(preset);
  return taken ? [taken.citation] : [];
}

type ParsedSource = NonNullable<ParsedConfig["clients"][number]["source"]>;

function sourceOf(source: ParsedSource, usual: ScheduleConfig): SourceConfig {
  const { name = source.kind, schedule } = source;
  const own = { name, schedule: schedule && ownSchedule(schedule, usual) };
  if (source.kind === "folder") return folderOf(source, own);
  const { apiKey, webhook } = source;
  const scheme = webhook?.scheme ?? USUAL_SCHEME[source.kind];
  return { ...source, ...own, apiKey, webhook: webhook && { ...webhook, scheme } };
}

/** A folder is not asked over a network: what limits requests elsewhere has a fixed value here. */
function folderOf(
  source: Extract<ParsedSource, { kind: "folder" }>,
  own: Pick<SourceConfig, "name" | "schedule">,
): FolderSourceConfig {
  const { url, endpoint, region, forcePathStyle = false, expectedOwner, ...rest } = source;
  const { kind, resync, retired, ready, entries, fields, beside, verified = [], unverified = [] } = rest;
  return {
    ...own,
    kind,
    resync,
    retired,
    ready,
    entries,
    fields,
    beside,
    verified,
    unverified,
    url: url.url,
    place: url.kind === "directory" ? url : { ...url, endpoint, region, forcePathStyle, expectedOwner },
    apiKey: undefined,
    rate: parseRate(PROVIDERS.folder.rate),
    concurrency: 2,
  };
}

/** What a schedule leaves out is as in the one above it. */
function ownSchedule(
  own: ParsedConfig["clients"][number]["schedule"],
  { cron, timezone, jitter }: ScheduleConfig,
): ScheduleConfig {
  return { cron: own.cron ?? cron, timezone: own.timezone ?? timezone, jitter: own.jitter ?? jitter };
}
