/**
 * A sandbox from the command line: `npm run sandbox -- --port 4010 --identities 200`, or with `--provider persona`, `stripe`,
 * `onfido`, `sumsub` or `veriff`.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { startOnfido } from "./onfido/server.ts";
import { startPersona } from "./persona/server.ts";
import { startSandbox } from "./server.ts";
import { startStripe } from "./stripe/server.ts";
import { VERSION } from "./stripe/wire.ts";
import { startSumsub } from "./sumsub/server.ts";
import { startVeriff } from "./veriff/server.ts";
import { signatureOf } from "./veriff/signature.ts";

function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high) {
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

function percent(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 100)
    throw new InvalidArgumentError("Expected a percentage from 0 to 100.");
  return value;
}

function rate(text: string): number {
  const value = Number(text.replace(/\/s$/, ""));
  if (!(value > 0 && value <= 1_000_000))
    throw new InvalidArgumentError("Expected requests per second, such as 10 or 10/s.");
  return value;
}

interface Options {
  provider: "passbase" | "persona" | "stripe" | "onfido" | "sumsub" | "veriff";
  port: number;
  identities: number;
  seed: number;
  rate?: number;
  fail: number;
  withhold: number;
  files: boolean;
  plainImages: boolean;
  videoBytes?: number;
}

const program = new Command("sandbox")
  .description(
    "A provider's API on loopback, with invented identities: Passbase's v2, Persona's v1, Stripe Identity, Onfido's v3.6, Sumsub or Veriff's v1",
  )
  .addOption(
    new Option("--provider <name>", "whose API")
      .choices(["passbase", "persona", "stripe", "onfido", "sumsub", "veriff"])
      .default("passbase"),
  )
  .option("--port <n>", "port on 127.0.0.1; 0 takes a free one", whole(0, 65_535), 0)
  .option("--identities <n>", "how many identities there are", whole(0, 10_000_000), 20)
  .option("--seed <n>", "another seed, other people", whole(0, 0xffffffff), 1)
  .option(
    "--rate <n/s>",
    "requests per second before 429, for Persona and Onfido per minute × 60, for Sumsub per 5 s × 5; default no limit",
    rate,
  )
  .option("--fail <percent>", "requests that fail at random: 500, 503, 429 or a connection reset", percent, 0)
  .option("--withhold <percent>", "files that answer 403", percent, 0)
  .option("--no-files", "resources without files")
  .option("--plain-images", "one drawing for all documents of a kind; for benchmarks", false)
  .option("--video-bytes <n>", "makes every selfie video this long", whole(0, 100_000_000_000))
  .allowExcessArguments(false)
  .showHelpAfterError("(--help lists the options)")
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  });

const options = program.parse().opts<Options>();

const count = `${options.identities} identities, seed ${options.seed}. Ctrl-C stops.`;

/** For a provider whose API lists no one: what `backfill --ids` takes. */
const idsOf = (sandbox: { ids(): readonly string[] }): string => sandbox.ids().join("\n");

async function passbase() {
  const sandbox = await startSandbox(options);
  const header = `X-API-KEY: ${sandbox.apiKey}`;
  const curl = `curl -H '${header}' '${sandbox.url}/identities?limit=2'`;
  return { sandbox, greeting: `${sandbox.url}\n${header}\n${count}\n\n  ${curl}\n` };
}

function perMinute() {
  const { rate: perSecond, ...rest } = options;
  return { ...rest, limit: perSecond === undefined ? undefined : Math.ceil(perSecond * 60) };
}

async function persona() {
  const sandbox = await startPersona(perMinute());
  const header = `Authorization: Bearer ${sandbox.apiKey}`;
  const pinned = "-H 'Persona-Version: 2025-12-08' -H 'Key-Inflection: kebab'";
  const curl = `curl -g -H '${header}' ${pinned} '${sandbox.url}/inquiries?page[size]=2'`;
  return { sandbox, greeting: `${sandbox.url}\n${header}\n${count}\n\n  ${curl}\n` };
}

async function stripe() {
  const sandbox = await startStripe(options);
  const header = `Authorization: Bearer ${sandbox.apiKey}`;
  const expand = "expand[]=data.last_verification_report";
  const path = `/identity/verification_sessions?limit=2&${expand}`;
  const curl = `curl -g -H '${header}' -H 'Stripe-Version: ${VERSION}' '${sandbox.url}${path}'`;
  return { sandbox, greeting: `${sandbox.url}\n${header}\n${count}\n\n  ${curl}\n` };
}

async function onfido() {
  const sandbox = await startOnfido(perMinute());
  const header = `Authorization: Token token=${sandbox.apiKey}`;
  const curl = `curl -H '${header}' '${sandbox.url}/applicants?per_page=2'`;
  return { sandbox, greeting: `${sandbox.url}\n${header}\n${count}\n\n  ${curl}\n` };
}

async function sumsub() {
  const { rate: perSecond, ...rest } = options;
  const sandbox = await startSumsub({ ...rest, limit: perSecond === undefined ? undefined : Math.ceil(perSecond * 5) });
  const { url, appToken, apiKey } = sandbox;
  // A signature is good for a minute, so the shell makes one.
  const lines = [
    `at=$(date +%s) && path=/resources/applicants/${sandbox.id(0)}/one &&`,
    `  sig=$(printf %s "\${at}GET$path" | openssl dgst -sha256 -hmac '${apiKey}' -r | cut -d' ' -f1) &&`,
    `  curl -H 'X-App-Token: ${appToken}' -H "X-App-Access-Ts: $at" -H "X-App-Access-Sig: $sig" "${url}$path"`,
  ].join(" \\\n");
  const greeting = `${url}\nApp token ${appToken}, secret key ${apiKey}\n${count}\n\n${idsOf(sandbox)}\n\n${lines}\n`;
  return { sandbox, greeting };
}

async function veriff() {
  const sandbox = await startVeriff(options);
  const [id = ""] = sandbox.ids();
  const headers = `X-AUTH-CLIENT: ${sandbox.integrationKey}`;
  const curl = `curl -H '${headers}' -H 'X-HMAC-SIGNATURE: ${signatureOf(sandbox.apiKey, id)}' '${sandbox.url}/sessions/${id}/decision'`;
  return {
    sandbox,
    greeting: `${sandbox.url}\n${headers}\nshared secret: ${sandbox.apiKey}\n${count}\n\n${idsOf(sandbox)}\n\n  ${curl}\n`,
  };
}

try {
  const { sandbox, greeting } = await { passbase, persona, stripe, onfido, sumsub, veriff }[options.provider]();
  process.stdout.write(greeting);
  const stop = () => {
    sandbox.close().then(
      () => process.stdout.write(`\n${sandbox.requests.total} requests answered.\n`),
      () => process.exit(1),
    );
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
} catch (error) {
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    code === "EADDRINUSE" ? "another program listens on it" : code === "EACCES" ? "it takes privileges" : code;
  process.stderr.write(`sandbox: cannot listen on port ${options.port}: ${reason}\n`);
  process.exit(code === "EADDRINUSE" || code === "EACCES" ? 2 : 1);
}
