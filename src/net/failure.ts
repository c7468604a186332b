import { type Environment, proxyText } from "./proxy.ts";

/**
 * Why no answer came. Finds the code in errors of undici, Node and the AWS SDK. It may be several causes deep, or in
 * one of the errors of an AggregateError (one per address tried).
 */
export interface NetworkFailure {
  /** `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `PROXY_407`, … */
  readonly code: string;
  /** Whether a retry may succeed. */
  readonly isTransient: boolean;
  /** What to do. Undefined if only the network or the other side can be at fault. */
  readonly hint: string | undefined;
}

/** Limits the depth: causes may form a cycle. */
const DEEPEST = 8;

/** Codes of OpenSSL and Node for an untrusted certificate. Node has no list of them. */
const CERTIFICATE =
  /^(CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)/;
/** No common TLS version or cipher, or a server without TLS. */
const TLS = /^(ERR_SSL_|ERR_TLS_|EPROTO$)/;
const NAME = /^E(NOTFOUND|AI_NODATA|AI_NONAME)$/;
/** Codes of the system, Node, undici and its HTTP parser for a failed connection. */
const CONNECTION =
  /^(E(CONN\w+|PIPE|TIMEDOUT|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|ADDRNOTAVAIL|AI_AGAIN)|UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET|RES_CONTENT_LENGTH_MISMATCH|CLOSED|ABORTED|PRX_\w+)|HPE_\w+|ERR_STREAM_PREMATURE_CLOSE)$/;

/** Undefined if the error is not a network error. */
export function networkFailure(error: unknown, env: Environment = process.env): NetworkFailure | undefined {
  for (const each of chain(error)) {
    const failure = failureOf(each, env);
    if (failure) return failure;
  }
  return undefined;
}

function failureOf(error: Error, env: Environment): NetworkFailure | undefined {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const refused = refusedByProxy(error, code);
  if (refused !== undefined) {
    return {
      code: `PROXY_${refused}`,
      isTransient: refused >= 500,
      hint:
        refused === 407
          ? "The proxy requires a user and password. Set HTTPS_PROXY to http://user:password@host:port."
          : "The proxy blocks this host. Ask the proxy's administrator to allow it, or add the host to NO_PROXY.",
    };
  }
  // Its code is a number, like every DOMException's.
  if (error.name === "TimeoutError") return { code: "TIMEOUT", isTransient: true, hint: viaProxy(env) };
  if (typeof code !== "string") return undefined;
  if (CERTIFICATE.test(code)) {
    return {
      code,
      isTransient: false,
      hint: "The server's certificate is not trusted here. If your company's CA issued it, set NODE_EXTRA_CA_CERTS to that CA's certificate (PEM).",
    };
  }
  if (TLS.test(code))
    return { code, isTransient: false, hint: "Check the address and port: the server does not speak TLS as expected." };
  if (NAME.test(code)) {
    return {
      code,
      isTransient: true,
      hint: "Check the address and DNS: the host name is unknown here. If you need a proxy, set HTTPS_PROXY.",
    };
  }
  if (CONNECTION.test(code)) return { code, isTransient: true, hint: viaProxy(env) };
  return undefined;
}

/** A proxy that is down looks like a server that is down. */
function viaProxy(env: Environment): string | undefined {
  const proxy = proxyText(env);
  return proxy === null ? undefined : `Requests go ${proxy}: check that proxy, the address and the network.`;
}

/** The status of a proxy's answer to CONNECT, from the messages of undici and Node. */
function refusedByProxy(error: Error, code: unknown): number | undefined {
  const [, undici] = /^Proxy response \((\d{3})\)/.exec(error.message) ?? [];
  if (undici !== undefined) return Number(undici);
  if (code !== "ERR_PROXY_TUNNEL") return undefined;
  return Number((error as { statusCode?: number }).statusCode ?? /\b([45]\d\d)\b/.exec(error.message)?.[1] ?? 502);
}

function* chain(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > DEEPEST) return;
  // The innermost error is the most precise: undici's "fetch failed" and the SDK's errors are wrappers.
  yield* chain(error.cause, depth + 1);
  if (error instanceof AggregateError) for (const each of error.errors) yield* chain(each, depth + 1);
  yield error;
}
