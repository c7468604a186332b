import { type Environment, proxyText } from "./proxy.ts";

/**
 * Why no answer came, out of what undici, Node and the AWS SDK throw: the code that says it may lie several causes deep,
 * or in one of the errors of an AggregateError (one for each address that was tried).
 */
export interface NetworkFailure {
  /** `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `PROXY_407`, … */
  readonly code: string;
  /** Whether it may pass by itself. */
  readonly isTransient: boolean;
  /** What to do, a sentence. Undefined where only the network or the other side can be at fault. */
  readonly hint: string | undefined;
}

/** A chain of causes may be a ring. */
const DEEPEST = 8;

/** Codes of OpenSSL and Node for a certificate that is not trusted; Node has no list of them. */
const CERTIFICATE =
  /^(CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)/;
/** TLS that the two sides cannot agree on, and a server that speaks no TLS. */
const TLS = /^(ERR_SSL_|ERR_TLS_|EPROTO$)/;
const NAME = /^E(NOTFOUND|AI_NODATA|AI_NONAME)$/;
/** Codes of the system, Node, undici and its HTTP parser for a connection that failed. */
const CONNECTION =
  /^(E(CONN\w+|PIPE|TIMEDOUT|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|ADDRNOTAVAIL|AI_AGAIN)|UND_ERR_(CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET|RES_CONTENT_LENGTH_MISMATCH|CLOSED|ABORTED|PRX_\w+)|HPE_\w+|ERR_STREAM_PREMATURE_CLOSE)$/;

/** Undefined where the error is none of the network's. */
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
          ? "The proxy wants a user and a password: write them into HTTPS_PROXY, as http://user:password@host:port."
          : "The proxy does not let this host through: ask whoever runs it, or add the host to NO_PROXY.",
    };
  }
  // Its code is a number, as every DOMException's.
  if (error.name === "TimeoutError") return { code: "TIMEOUT", isTransient: true, hint: viaProxy(env) };
  if (typeof code !== "string") return undefined;
  if (CERTIFICATE.test(code)) {
    return {
      code,
      isTransient: false,
      hint: "The server's certificate is not trusted here. If your company's own authority issued it, name that authority's certificate (PEM) in NODE_EXTRA_CA_CERTS.",
    };
  }
  if (TLS.test(code))
    return { code, isTransient: false, hint: "The server does not speak TLS as expected: check the address and port." };
  if (NAME.test(code)) {
    return {
      code,
      isTransient: true,
      hint: "The host's name is not known here: check the address, DNS, and HTTPS_PROXY if a proxy leads out.",
    };
  }
  if (CONNECTION.test(code)) return { code, isTransient: true, hint: viaProxy(env) };
  return undefined;
}

/** A proxy that is gone looks like a server that is gone. */
function viaProxy(env: Environment): string | undefined {
  const proxy = proxyText(env);
  return proxy === null ? undefined : `Requests go ${proxy}: check that proxy, the address and the network.`;
}

/** The status that a proxy answered to CONNECT, in the words of undici and of Node. */
function refusedByProxy(error: Error, code: unknown): number | undefined {
  const [, undici] = /^Proxy response \((\d{3})\)/.exec(error.message) ?? [];
  if (undici !== undefined) return Number(undici);
  if (code !== "ERR_PROXY_TUNNEL") return undefined;
  return Number((error as { statusCode?: number }).statusCode ?? /\b([45]\d\d)\b/.exec(error.message)?.[1] ?? 502);
}

function* chain(error: unknown, depth = 0): Generator<Error> {
  if (!(error instanceof Error) || depth > DEEPEST) return;
  // The innermost says it best: undici's "fetch failed" and the SDK's names are wrappers.
  yield* chain(error.cause, depth + 1);
  if (error instanceof AggregateError) for (const each of error.errors) yield* chain(each, depth + 1);
  yield error;
}
