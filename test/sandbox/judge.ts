/**
 * Holds a sandbox to the provider's published OpenAPI file: asks every endpoint for many people and validates each
 * answer by path and method. `node test/sandbox/judge.ts <persona|onfido> <openapi.json[.gz]>`. It needs the packages ajv and
 * ajv-formats, which Holdfast does not: HOLDFAST_AJV names the folder that holds their node_modules.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { onfidoAnswers } from "./onfido/asking.ts";
import { correct } from "./onfido/corrected.ts";
import { type Asking, personaAnswers } from "./persona/asking.ts";

interface Validator {
  (value: unknown): boolean;
  errors?: readonly { readonly instancePath: string; readonly message?: string; readonly params: unknown }[] | null;
}

interface Ajv {
  addSchema(schema: unknown, name: string): void;
  getSchema(reference: string): Validator | undefined;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: unknown }>>;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

interface Judged {
  readonly answers: () => AsyncGenerator<Asking>;
  /** Where the published file is known to be wrong. */
  readonly correct?: (document: unknown) => void;
}

const PROVIDERS: Readonly<Record<string, Judged>> = {
  persona: { answers: personaAnswers },
  onfido: { answers: onfidoAnswers, correct },
};

function loadAjv(schema: unknown): Ajv {
  const require = createRequire(resolve(process.env.HOLDFAST_AJV ?? ".", "judge.js"));
  const { default: Ajv2020 } = require("ajv/dist/2020") as { default: new (options: object) => Ajv };
  const { default: addFormats } = require("ajv-formats") as { default: (ajv: Ajv) => void };
  const ajv = new Ajv2020({ strict: false, logger: false });
  addFormats(ajv);
  ajv.addSchema(schema, "api");
  return ajv;
}

const pointer = (part: string) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));

/** The template of a path, and the most specific one: `/inquiries/search` before `/inquiries/{inquiry-id}`. */
function templateOf(paths: Paths, pathname: string): string | undefined {
  const matches = (template: string) => new RegExp(`^${template.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(pathname);
  return Object.keys(paths)
    .filter(matches)
    .sort((a, b) => a.split("{").length - b.split("{").length)[0];
}

function validatorFor(ajv: Ajv, paths: Paths, { method, path, status }: Asking): Validator | undefined {
  const template = templateOf(paths, path.split("?")[0]!);
  const operation = template === undefined ? undefined : paths[template]?.[method.toLowerCase()];
  const known = [String(status), "default"].find((name) => operation?.responses[name]);
  const response = known === undefined ? undefined : operation?.responses[known];
  if (!response) return undefined;
  const place = response.$ref ?? `#/paths/${pointer(template!)}/${method.toLowerCase()}/responses/${known}`;
  return ajv.getSchema(`api${place}/content/application~1json/schema`);
}

async function judge({ answers, correct }: Judged, file: string): Promise<number> {
  const bytes = readFileSync(file);
  const document = JSON.parse(String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)) as { paths: Paths };
  correct?.(document);
  const ajv = loadAjv(document);
  const tally = new Map<string, [passed: number, failed: number]>();
  for await (const asking of answers()) {
    const validate = validatorFor(ajv, document.paths, asking);
    const name = `${asking.status} ${asking.method} ${asking.name}`;
    const counts = tally.get(name) ?? [0, 0];
    tally.set(name, counts);
    if (validate?.(asking.body)) counts[0]++;
    else {
      counts[1]++;
      const found = validate ? JSON.stringify(validate.errors?.slice(0, 3)) : "the file describes no such answer";
      process.stdout.write(`failed: ${asking.method} ${asking.path}: ${found}\n`);
    }
  }
  let failures = 0;
  for (const [name, [passed, failed]] of [...tally].sort()) {
    failures += failed;
    process.stdout.write(`${name}: ${passed} of ${passed + failed} passed\n`);
  }
  return failures;
}

const [provider = "", file] = process.argv.slice(2);
const judged = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined;
if (!judged || file === undefined) {
  process.stderr.write(`usage: node ${join("test", "sandbox", "judge.ts")} <persona|onfido> <openapi.json[.gz]>\n`);
  process.exitCode = 2;
} else {
  process.exitCode = (await judge(judged, file)) === 0 ? 0 : 1;
}
