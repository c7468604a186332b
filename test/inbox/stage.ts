import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ClientConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { SchemeName } from "../../src/config/webhook.ts";
import type { ReceiverBounds } from "../../src/inbox/bounds.ts";
import { inboxFile } from "../../src/inbox/database.ts";
import { type ReceiveResult, startReceiver } from "../../src/inbox/receiver.ts";
import { Routes } from "../../src/inbox/routes.ts";
import { ABSENT, client, yaml } from "../config/sample.ts";
import { SECRETS, type Signed } from "./signing.ts";

export const LOOKUP = "a".repeat(64);

export interface StageOptions {
  readonly bounds?: Partial<ReceiverBounds>;
  readonly now?: () => Temporal.Instant;
  /** By client, the schemes of its sources, each called as its scheme. */
  readonly clients?: Readonly<Record<string, readonly SchemeName[]>>;
}

/** A config with its secrets in a new temporary folder, where the state will be too. */
export async function place(clients: Readonly<Record<string, readonly SchemeName[]>>) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-inbox-"));
  await mkdir(join(folder, "keys"));
  await writeFile(join(folder, "keys/lookup"), LOOKUP, { mode: 0o600 });
  const sections = [];
  for (const [id, schemes] of Object.entries(clients)) {
    const sources = [];
    for (const scheme of schemes) {
      const secrets = [];
      for (const [at, secret] of SECRETS[scheme].entries()) {
        const name = `keys/${id}-${scheme}-${at}`;
        await writeFile(join(folder, name), id === "acme" ? secret : other(scheme, secret), { mode: 0o600 });
        secrets.push(`file:./${name}`);
      }
      const own = OWN[scheme] ?? { kind: "stripe" };
      sources.push({ ...own, name: scheme, apiKey: "env:UNUSED", webhook: { scheme, secrets } });
    }
    sections.push(client({ id, source: ABSENT, sources, "lookups.key": "file:./keys/lookup" }));
  }
  const file = join(folder, "holdfast.yaml");
  await writeFile(file, yaml(...sections));
  return { folder, file, config: await loadConfig(file) };
}

/** A receiver on a free port, with a place of its own. */
export async function stage({
  bounds = {},
  now = Temporal.Now.instant,
  clients = { acme: ["stripe"] },
}: StageOptions = {}) {
  const { folder, config } = await place(clients);
  const results: { path: string | undefined; result: ReceiveResult; secret: number | undefined }[] = [];
  const troubles: unknown[] = [];
  const routes = new Routes(now);
  routes.replace(config.clients);
  const receiver = await startReceiver({
    ...{ host: "127.0.0.1", port: 0, routes: () => routes.byPath, now, bounds },
    onResult: (route, result, secret) =>
      results.push({ path: route && `${route.client}/${route.source}`, result, secret }),
    onTrouble: (_, error) => troubles.push(error),
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  return {
    ...{ folder, config, results, troubles, port: receiver.port, routes },
    client: (id = "acme") => config.clients.find((each) => each.id === id)!,
    send: (path: string, signed: Partial<Signed>, options: { method?: string } = {}) =>
      send(receiver.port, path, signed, { agent, ...options }),
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await receiver[Symbol.asyncDispose]();
      routes.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function other(scheme: SchemeName, secret: string): string {
  if (scheme === "standard-webhooks") return `whsec_${Buffer.alloc(32, 99).toString("base64")}`;
  return secret.split("").reverse().join("");
}

/** The fields of each scheme's own kind of source; Stripe is also what a gateway signs for. */
const SUMSUB = { kind: "sumsub", appToken: "prd:token" };
export const INTEGRATION = "8e4f7cd8-7a19-4d7d-971f-a076407ee03c";
export const OWN: Readonly<Partial<Record<SchemeName, { readonly kind: string }>>> = {
  ...{ persona: { kind: "persona" }, onfido: { kind: "onfido" }, passbase: { kind: "passbase" } },
  ...{ "sumsub-sha256": SUMSUB, "sumsub-sha512": SUMSUB },
  veriff: { kind: "veriff", url: "https://veriff.example/v1", integrationKey: INTEGRATION } as {
    readonly kind: string;
  },
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a request as it is, and reads the answer to its end. */
export function send(
  port: number,
  path: string,
  { headers = {}, body = Buffer.alloc(0) }: Partial<Signed>,
  { method = "POST", agent }: { method?: string; agent?: Agent } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ host: "127.0.0.1", port, path, method },
        headers: { ...headers, "content-length": body.length },
        ...(agent && { agent }),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
        response.on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The rows of a client's inbox. */
export function rowsOf({ state }: Pick<ClientConfig, "state">, table = "event"): Record<string, unknown>[] {
  const db = new DatabaseSync(inboxFile(state), { readOnly: true });
  const rows = db.prepare(`SELECT * FROM ${table}`).all() as Record<string, unknown>[];
  db.close();
  return rows;
}

/** Every file below a folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
