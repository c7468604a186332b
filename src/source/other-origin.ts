import { isIP } from "node:net";
import { HoldfastError } from "../core/error.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * The address of a file that an answer of the API at `api` names. Untrusted: it must not lead to other machines of this
 * network, or out of TLS. So it is https at a host name, or at the API's own host; http only if both are on loopback.
 * Throws source-response.
 */
export function otherOrigin(name: string, address: string, api: string): URL {
  const url = address === "" ? null : URL.parse(address, api);
  const base = new URL(api);
  if (url && url.username === "" && url.password === "") {
    const { protocol, hostname } = url;
    const isLocal = LOOPBACK.test(hostname) && LOOPBACK.test(base.hostname);
    const isNamed = hostname.includes(".") && isIP(hostname) === 0 && !hostname.startsWith("[");
    if (protocol === "https:" && (isNamed || isLocal || hostname === base.hostname)) return url;
    if (protocol === "http:" && isLocal && base.protocol === "http:") return url;
  }
  throw new HoldfastError("source-response", `${name}: the provider names an address of the file that is not allowed`, {
    hint: "Files come over https, from a host with a name. Ask the provider why its answer names another address.",
  });
}
