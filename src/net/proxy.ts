import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
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

export type Environment = Readonly<Record<string, string | undefined>>;

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

/** Throws `config` for an invalid one. */
export function proxiesOf(env: Environment): Proxies {
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
