import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../core/clock.ts";
import { limitConnections, listen } from "../net/connections.ts";
import { Bodies } from "./bodies.ts";
import { BOUNDS, Gate, type ReceiverBounds } from "./bounds.ts";
import type { Received, Route } from "./route.ts";
import { refuseUnparsed } from "./unparsed.ts";

/** What a request was answered with, by what became of it. A sender learns nothing else. */
const STATUS = {
  ...{ taken: 200, duplicate: 200, unnamed: 200 },
  ...{ malformed: 400, forged: 401, unrouted: 404, "not-post": 405, "too-large": 413, "not-json": 415 },
  // What Node's parser refuses before there is a request, under one word; its own status may be another.
  "not-http": 400,
  // Come again: it is not the sender's fault.
  ...{ throttled: 429, unready: 503, unstored: 503, full: 503, crowded: 503 },
} as const satisfies Readonly<Record<Received | string, number>>;

export type ReceiveResult = keyof typeof STATUS;
export const RESULTS = Object.keys(STATUS) as readonly ReceiveResult[];

/** When to come again, in seconds. */
const AGAIN: Readonly<Record<number, number>> = { 429: 1, 503: 60 };
/** How long the last requests may take once the receiver stops, in ms. */
const GRACE = 2_000;

export interface ReceiverOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** By path. Asked for each request, so that they can be replaced. */
  readonly routes: () => ReadonlyMap<string, Route>;
  readonly now: Clock;
  /** Called for each request: what became of it, and with which secret it was signed, from 0. */
  readonly onResult: (route: Route | undefined, result: ReceiveResult, secret?: number) => void;
  /** Called when secrets cannot be read, or the inbox cannot be written: `config`, `secrets-unavailable` or `state`. */
  readonly onTrouble: (route: Route, error: unknown) => void;
  readonly bounds?: Partial<ReceiverBounds>;
}

export interface Receiver extends AsyncDisposable {
  readonly port: number;
}

/**
 * Receives providers' webhooks: POST /hooks/<client>/<source>. Answers 200 only if the delivery is verified and on the
 * disk. It speaks plain HTTP: TLS ends in front of it. Throws `config` if the address is unavailable.
 */
export async function startReceiver({ host, port, ...options }: ReceiverOptions): Promise<Receiver> {
  const bounds = { ...BOUNDS, ...options.bounds };
  const gate = new Gate(bounds);
  /** Connections whose request is whole: it is being answered. */
  const busy = new Set<Socket>();
  const bodies = new Bodies(bounds.bodies);

  const receive = async (
    request: IncomingMessage,
    route: Route,
    onCrowded: () => void,
  ): Promise<readonly [ReceiveResult, number?] | undefined> => {
    if (request.method !== "POST") return ["not-post"];
    if (!isTypeOf(request, route)) return ["not-json"];
    if (Number(request.headers["content-length"] ?? 0) > bounds.body) return ["too-large"];
    using body = bodies.begin(onCrowded);
    try {
      // Too much of it must still be answered, so leave the stream as it is then.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        if (body.size + chunk.length > bounds.body) return ["too-large"];
        body.add(chunk);
        if (body.isEnded) break;
      }
      if (body.isEnded) return undefined;
      busy.add(request.socket);
      let secret: number | undefined;
      const delivery = { headers: request.headersDistinct, body: body.whole() };
      const received = await route.receive(
        delivery,
        options.now(),
        (error) => options.onTrouble(route, error),
        (found) => {
          secret = found;
        },
      );
      return secret === undefined ? [received] : [received, secret];
    } catch (error) {
      // The sender has gone, or was too slow, or has its answer.
      if (!request.complete || body.isEnded) return undefined;
      throw error;
    } finally {
      busy.delete(request.socket);
    }
  };

  const server = createServer(
    {
      maxHeaderSize: bounds.headers,
      headersTimeout: bounds.patience,
      requestTimeout: bounds.patience,
      connectionsCheckingInterval: Math.min(1_000, bounds.patience / 2),
      keepAliveTimeout: 60_000,
      // No answer depends on it, and Node's own refusal would be in no count.
      requireHostHeader: false,
    },
    (request, response) => {
      const route = options.routes().get(request.url ?? "");
      const answer = (result: ReceiveResult, secret?: number): void => {
        options.onResult(route, result, secret);
        send(request, response, STATUS[result]);
      };
      if (!gate.passes()) return answer("throttled");
      if (route === undefined) return answer("unrouted");
      receive(request, route, () => answer("crowded")).then(
        (result) => result && answer(...result),
        (error: unknown) => {
          options.onTrouble(route, error);
          answer("unready");
        },
      );
    },
  );
  refuseUnparsed(
    server,
    () => options.onResult(undefined, "not-http"),
    (socket) => busy.has(socket),
  );
  limitConnections(server, bounds.connections, (socket) => busy.has(socket));
  const bound = await listen(server, { host, port }, "inbox.listen");
  return { port: bound, [Symbol.asyncDispose]: () => stopped(server) };
}

/** No content encoding: what is verified is what arrived, and nothing is unpacked before that. */
function isTypeOf({ headers }: IncomingMessage, { scheme }: Route): boolean {
  const [type = ""] = (headers["content-type"] ?? "").split(";", 1);
  const isPlain = (headers["content-encoding"] ?? "identity") === "identity";
  return isPlain && (headers["content-type"] === undefined || scheme.types.test(type.trim().toLowerCase()));
}

/** An empty answer. A connection whose request was not read to its end is closed. */
function send(request: IncomingMessage, response: ServerResponse, status: number): void {
  const again = AGAIN[status];
  response.writeHead(status, {
    "content-length": 0,
    ...(again === undefined ? {} : { "retry-after": String(again) }),
    ...(status === 405 ? { allow: "POST" } : {}),
    ...(request.complete ? {} : { connection: "close" }),
  });
  response.end();
}

async function stopped(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), GRACE);
  await closed;
  clearTimeout(timer);
}
