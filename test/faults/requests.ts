import type { IncomingMessage, ServerResponse } from "node:http";
import { endpointOf } from "../sandbox/routes.ts";
import type { Sandbox } from "../sandbox/server.ts";

/** Replaces an answer whose JSON would have been `text`. */
export type Fault = (response: ServerResponse, text: string, request: IncomingMessage) => void;

export type Where = (endpoint: string, path: string) => boolean;

export const everywhere: Where = () => true;
export const list: Where = (endpoint) => endpoint === "identities";
/** Requests for the single identity with this index. */
export const identity =
  (sandbox: Sandbox, index: number): Where =>
  (endpoint, path) =>
    endpoint === "identity" && path.includes(sandbox.identity(index).id);
/** Requests for the files of the identity with this index. */
export const filesOf =
  (sandbox: Sandbox, index: number): Where =>
  (endpoint, path) =>
    endpoint === "file" && path.includes(sandbox.identity(index).id);

/** Applies the fault to `times` requests of this kind, from number `from` on. Gives the number of affected requests. */
export function strike(
  sandbox: Sandbox,
  where: Where,
  fault: Fault,
  { from = 1, times = Number.POSITIVE_INFINITY }: { from?: number; times?: number } = {},
): () => number {
  let met = 0;
  let struck = 0;
  sandbox.intercept((request, response) => {
    const { pathname } = new URL(request.url!, "http://sandbox");
    if (!where(endpointOf(pathname), pathname)) return false;
    met += 1;
    if (met < from || struck === times) return false;
    struck += 1;
    fault(response, SAMPLE, request);
    return true;
  });
  return () => struck;
}

const SAMPLE = JSON.stringify({ cursor: { next: null }, data: [], id: "00000000-0000-4000-8000-000000000000" });

export const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  (response) =>
    response.writeHead(code, headers).end("{}");

/** An answer whose headers say something too. */
export interface Reply {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const answers =
  (reply: string | Reply): Fault =>
  (response) => {
    const { text, headers } = typeof reply === "string" ? { text: reply, headers: {} } : reply;
    response.writeHead(200, { "Content-Type": "application/json", ...headers }).end(text);
  };

export const reset: Fault = (response) => response.socket!.resetAndDestroy();
export const stall: Fault = () => {};
export const stallInBody: Fault = (response, text) => response.writeHead(200).write(text.slice(0, 9));
/** Fewer bytes than Content-Length says, then the connection ends. */
export const endsEarly: Fault = (response, text) => {
  response.writeHead(200, { "Content-Length": text.length + 100 });
  response.write(text, () => response.destroy());
};
/** Fewer bytes than Content-Length says, and the connection stays open. */
export const saysTooMuch: Fault = (response, text) =>
  response.writeHead(200, { "Content-Length": text.length + 100 }).write(text);
export const chunkedCut: Fault = (response, text) => response.write(text, () => response.destroy());
export const noHttp: Fault = (response, text) => response.socket!.end(text);
