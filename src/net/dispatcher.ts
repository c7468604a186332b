import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool } from "undici";
import { type Environment, proxiesOf } from "./proxy.ts";

export interface Waits {
  /** Most concurrent requests. */
  readonly connections?: number;
  /** How long to wait for a connection, for headers, and between two chunks of a body, in ms. */
  readonly timeouts: { readonly connect: number; readonly headers: number; readonly body: number };
  /** Do not check the server's certificate. Only for data that is not secret and that nothing relies on alone. */
  readonly unverified?: boolean;
}

/** A dispatcher for undici. Dispose of it after reading the last answer. Throws `config` for an invalid proxy. */
export function dispatcher(
  { connections, timeouts, unverified = false }: Waits,
  env: Environment = process.env,
): Dispatcher & AsyncDisposable {
  const { http, https, except } = proxiesOf(env);
  const tls = unverified ? { rejectUnauthorized: false } : {};
  const options = {
    ...(connections === undefined ? {} : { connections }),
    connect: { timeout: timeouts.connect, ...tls },
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body,
  };
  // Without a proxy, there is no need to check the address of each request against the exceptions.
  const agent =
    http === undefined && https === undefined
      ? new Agent(options)
      : new EnvHttpProxyAgent({
          ...options,
          requestTls: tls,
          // If undefined, undici would read the environment itself and ignore an address without a scheme.
          httpProxy: http ?? "",
          httpsProxy: https ?? "",
          noProxy: except,
          // A proxy that accepts the connection and then says nothing gets the same timeouts as a server.
          clientFactory: (origin: URL, given: object) => new Pool(origin, { ...options, ...given }),
        });
  return Object.assign(agent, { [Symbol.asyncDispose]: () => agent.destroy() });
}

/** An address as a dispatcher's `request` takes it. */
export function addressed(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: `${pathname}${search}` };
}
