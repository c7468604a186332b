import { proxyText } from "../net/proxy.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, failure } = findings("network");

/** Checks the environment variables that affect network requests. */
export function checkNetwork(env: Readonly<Record<string, string | undefined>> = process.env): Finding[] {
  const found: Finding[] = [];
  try {
    const proxy = proxyText(env);
    found.push(ok(proxy === null ? "no proxy is set" : `goes out ${proxy}`));
  } catch (error) {
    found.push(failed("network", error));
  }
  if (env.NODE_EXTRA_CA_CERTS) found.push(ok(`trusts the certificates in ${env.NODE_EXTRA_CA_CERTS} too`));
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    found.push(
      failure(
        "NODE_TLS_REJECT_UNAUTHORIZED=0 is set: anyone on the network path can read the API key and pose as the provider",
        "Unset it. If your company's own authority issued the certificate, name it in NODE_EXTRA_CA_CERTS.",
      ),
    );
  }
  return found;
}
