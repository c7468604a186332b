import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fault } from "../../../faults/requests.ts";

export type { Fault } from "../../../faults/requests.ts";
export {
  answers,
  chunkedCut,
  endsEarly,
  noHttp,
  reset,
  saysTooMuch,
  stall,
  stallInBody,
  status,
} from "../../../faults/requests.ts";

/** A good status with such headers. */
export const answersWith =
  (headers: Record<string, string>): Fault =>
  (response, text) =>
    response.writeHead(200, headers).end(text);

/** A 404 or 410 with the members by which each of the providers' own errors is told. */
export const missing =
  (code: number): Fault =>
  (response) => {
    const of = { type: "not_found", title: "not found", message: "not found" };
    const body = { status: "fail", code, description: "not found", message: "not found", error: of, errors: [of] };
    response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };

/** The same status from something in the way. */
export const foreign =
  (code: number): Fault =>
  (response) =>
    response.writeHead(code, { "Content-Type": "text/html" }).end("<html><body>Not here</body></html>");

/** Text that never ends. */
export const endless =
  (chunk: string | Buffer, begin = ""): Fault =>
  (response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.writeHead(200, { "Content-Type": "application/json" }).on("drain", more);
    response.write(begin);
    more();
  };

/** A byte now and then, for as long as someone waits. */
export const drip: Fault = (response) => {
  const more = (): void => {
    if (!response.destroyed) response.write(" ", () => setTimeout(more, 10));
  };
  response.writeHead(200, { "Content-Type": "application/json" });
  more();
};

/** Sends the request somewhere else. */
export const redirect =
  (to: string, code = 302): Fault =>
  (response) =>
    response.writeHead(code, { Location: to }).end();

/** A host that is no part of the provider: everything that reaches it is a mistake. */
export async function startElsewhere(): Promise<{ url: string; met: string[] } & AsyncDisposable> {
  const met: string[] = [];
  const server = createServer((request, response) => {
    met.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
