import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** The answer to GetSecretValue. */
export type Held =
  | string
  | { readonly bytes: string }
  | { readonly status: number; readonly type: string }
  /** Cuts the connection. */
  | "reset";

export interface SecretsManager extends AsyncDisposable {
  /** For AWS_ENDPOINT_URL_SECRETS_MANAGER. */
  readonly endpoint: string;
  /** By requested name or ARN. Changing a value rotates the secret. */
  readonly secrets: Map<string, Held>;
  /** The requested names in order, and the region that each request was signed for. */
  readonly asked: { readonly name: string; readonly region: string }[];
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/,]+\/\d{8}\/([a-z0-9-]+)\/secretsmanager\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/** AWS Secrets Manager on loopback: only GetSecretValue, and only for requests signed as AWS requires. */
export async function startSecretsManager(secrets: Readonly<Record<string, Held>> = {}): Promise<SecretsManager> {
  const held = new Map(Object.entries(secrets));
  const asked: { name: string; region: string }[] = [];

  function answer(request: IncomingMessage, body: string): { status: number; body: unknown } | "reset" {
    const refuse = (status: number, type: string) => ({
      status,
      body: { __type: type, message: `canary-message ${body}` },
    });
    const [, region, signed] = AUTHORIZATION.exec(request.headers.authorization ?? "") ?? [];
    if (region === undefined || !signed?.includes("x-amz-target"))
      return refuse(400, "MissingAuthenticationTokenException");
    if (request.method !== "POST" || request.headers["x-amz-target"] !== "secretsmanager.GetSecretValue") {
      return refuse(400, "UnknownOperationException");
    }
    if (request.headers["content-type"] !== "application/x-amz-json-1.1") return refuse(400, "SerializationException");
    const { SecretId } = JSON.parse(body) as { SecretId: string };
    asked.push({ name: SecretId, region });
    const found = held.get(SecretId);
    if (found === undefined) return refuse(400, "ResourceNotFoundException");
    if (found === "reset") return found;
    if (typeof found === "object" && "status" in found) return refuse(found.status, found.type);
    const value = typeof found === "string" ? { SecretString: found } : { SecretBinary: found.bytes };
    return { status: 200, body: { Name: SecretId, VersionStages: ["AWSCURRENT"], ...value } };
  }

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const answered = answer(request, body);
      if (answered === "reset") return response.destroy();
      response.writeHead(answered.status, { "content-type": "application/x-amz-json-1.1" });
      return response.end(JSON.stringify(answered.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secrets: held,
    asked,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
