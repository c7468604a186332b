/**
 * The comparison's provider, in its own process. It does as little work as possible: its answers are prepared in
 * advance.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  contentOf,
  identityText,
  pageText,
  personOf,
  resourcesText,
  settingsText,
  type Workload,
} from "../workload.ts";

const workload = JSON.parse(process.argv[2]!) as Workload;
const numbers = Array.from({ length: workload.people }, (_, n) => n);
const identities = numbers.map((n) => Buffer.from(identityText(n, workload)));
const resources = numbers.map((n) => Buffer.from(resourcesText(n, workload)));
const file = contentOf(workload.fileBytes);

function answer(url: URL): Buffer | string {
  const [, , , kind, person, , , , fileId] = url.pathname.split("/");
  if (fileId !== undefined) return file;
  if (kind === "identity") return resources[personOf(person!)]!;
  if (person !== undefined) return identities[personOf(person)]!;
  if (kind === "settings") return settingsText;
  return pageText(Number(url.searchParams.get("cursor") ?? 0), Number(url.searchParams.get("limit")), workload);
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const body = answer(new URL(request.url!, "http://provider"));
  const type = body === file ? "image/png" : "application/json";
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/verification/v2\n`);
});
