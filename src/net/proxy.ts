import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { type Dispatcher, EnvHttpProxyAgent, Pool } from "undici";
import { HoldfastError } from "../core/error.ts";

/**
 * Proxies from the environment, used for every request: `HTTPS_PROXY` for https addresses, `HTTP_PROXY` for http ones
 * and, if it is the only one, for https, and no proxy for hosts in `NO_PROXY`. Lower-case names win, as in curl. They
 * may contain a password: show people only `proxyText`.
 */
interface Proxies {
  readonly http: string | undefined;
  readonly https: string | undefined;
  readonly except: string;
}

export interface Waits {
  /** Most concurrent requests. */
  readonly connections?: number;
  /** How long to wait for a connection, for headers, and between two chunks of a body, in ms. */
  readonly timeouts: { readonly connect: number; readonly headers: number; readonly body: number };
  /** Do not check the server's certificate. Only for data that is not secret and that nothing relies on alone. */
  readonly unverified?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

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
  const agent = new EnvHttpProxyAgent({
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

/** Agents for the AWS SDK. Throws `config` for an invalid proxy. */
export function awsAgents(maxSockets?: number, env: Environment = process.env) {
  const { http, https, except } = proxiesOf(env);
  const proxyEnv = { HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: except };
  const options = { keepAlive: true, ...(maxSockets === undefined ? {} : { maxSockets }), proxyEnv };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}

/** The proxies of the environment without user and password. Null without a proxy. */
export function proxyText(env: Environment = process.env): string | null {
  const { http, https, except } = proxiesOf(env);
  if (http === undefined && https === undefined) return null;
  const shown = (proxy: string | undefined) => (proxy === undefined ? "directly" : `through ${new URL(proxy).host}`);
  const apart = http === https ? shown(https) : `https ${shown(https)}, http ${shown(http)}`;
  return except === "" ? apart : `${apart}; directly to ${except}`;
}

function proxiesOf(env: Environment): Proxies {
  const http = proxyIn(env, "http_proxy") ?? proxyIn(env, "HTTP_PROXY");
  const https = proxyIn(env, "https_proxy") ?? proxyIn(env, "HTTPS_PROXY") ?? http;
  return { http, https, except: env.no_proxy ?? env.NO_PROXY ?? "" };
}

function proxyIn(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  if (!value) return undefined;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  if (url && isProxy(url)) return url.href;
  throw new HoldfastError(
    "config",
    `the environment variable ${name} is not the address of an HTTP proxy (not shown)`,
    {
      hint: `Write it as http://proxy.example:3128, or unset ${name}. In a password write % as %25, / as %2F, # as %23.`,
    },
  );
}

/** A path means that a character in the password ended the host early, and the rest of the password would be shown. */
function isProxy({ protocol, hostname, pathname, search, hash, username, password }: URL): boolean {
  if (!/^https?:$/.test(protocol) || hostname === "" || pathname !== "/" || search !== "" || hash !== "") return false;
  try {
    decodeURIComponent(username);
    decodeURIComponent(password);
    return true;
  } catch {
    return false;
  }
}
