import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { HoldfastError } from "../core/error.ts";
import { AwsCredentials } from "../net/aws-credentials.ts";
import { networkFailure } from "../net/failure.ts";
import { awsAgents } from "../net/proxy.ts";
import { aboutSecret } from "./secret-file.ts";

/** Total attempts, made by the SDK with its own pauses; and the timeout of each, in ms. */
const ATTEMPTS = 4;
const PATIENCE = 10_000;

/** Errors that waiting does not fix, and their hints. */
const SAID: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ResourceNotFoundException: ["there is no such secret in this account and region", "create it, or correct the name"],
  AccessDeniedException: [
    "these AWS credentials are not allowed to read it",
    "grant them secretsmanager:GetSecretValue for it, and kms:Decrypt for its key if it is a key of yours",
  ],
  DecryptionFailure: [
    "AWS cannot decrypt it",
    "grant these credentials kms:Decrypt for its key, and check that the key is enabled",
  ],
  InvalidRequestException: [
    "AWS refuses to return it",
    "check whether it is scheduled for deletion or has no value yet",
  ],
  InvalidParameterException: ["AWS rejects that name", "write the secret's name, or its whole ARN"],
  ValidationException: ["AWS rejects that name", "write the secret's name, or its whole ARN"],
};
const CREDENTIALS =
  /^(UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientTokenId|MissingAuthenticationToken|IncompleteSignature|SignatureDoesNotMatch|CredentialsProvider|TokenProvider|OptInRequired)/;

/**
 * The current value of a secret in AWS Secrets Manager. The SDK finds region and credentials itself (AWS_REGION, a
 * profile, the machine's role; AWS_ENDPOINT_URL_SECRETS_MANAGER for another server); an ARN names its own region. AWS's
 * answer is never logged and never part of an error.
 * @throws HoldfastError "config" if a person must fix something, "secrets-unavailable" if a retry may help.
 */
export async function readAwsSecret(name: string, jsonKey: string | undefined, reference: string): Promise<string> {
  const failure = (what: string, hint: string, cause?: unknown): HoldfastError =>
    new HoldfastError("config", aboutSecret(reference, what), { hint, cause });
  const [, , , region] = name.startsWith("arn:") ? name.split(":") : [];
  const client = new SecretsManagerClient({
    ...(region === undefined ? {} : { region }),
    maxAttempts: ATTEMPTS,
    credentials: new AwsCredentials().provide,
    requestHandler: { connectionTimeout: PATIENCE, socketTimeout: PATIENCE, ...awsAgents() },
  });
  let text: string | undefined;
  try {
    text = (await client.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
  } catch (error) {
    throw refusal(error, reference, failure);
  } finally {
    client.destroy();
  }
  if (text === undefined) throw failure("holds bytes, not text", "store it as a string (--secret-string)");
  return valueIn(text, jsonKey, failure);
}

type Failure = (what: string, hint: string, cause?: unknown) => HoldfastError;

function refusal(error: unknown, reference: string, failure: Failure): HoldfastError {
  const { name = "unknown", message = "" } = error instanceof Error ? error : {};
  const said = SAID[name];
  if (said) return failure(...said, error);
  if (name === "CredentialsProviderError") {
    const hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role";
    const looked = "no AWS credentials found; looked at: environment, shared profile, container and instance role";
    return failure(looked, hint, error);
  }
  if (CREDENTIALS.test(name)) {
    const hint =
      "give the AWS SDK valid credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role)";
    return failure(`the AWS credentials were refused (${name})`, hint, error);
  }
  if (/^Region is missing/.test(message)) {
    return failure("no AWS region is set", "set AWS_REGION, or write the secret's whole ARN", error);
  }
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const network = status === undefined ? networkFailure(error) : undefined;
  if (network && !network.isTransient)
    return failure(`cannot reach AWS Secrets Manager (${network.code})`, network.hint ?? "check the network", error);
  return new HoldfastError(
    "secrets-unavailable",
    `${reference}: cannot reach AWS Secrets Manager (${status ?? "no answer"}, ${network?.code ?? name})`,
    {
      cause: error,
      hint: network?.hint ?? "Several attempts failed. Check the network, the region and AWS's status page.",
    },
  );
}

/** The secret itself, or one value of a JSON object. Drops the parser's message, which quotes the text. */
function valueIn(text: string, jsonKey: string | undefined, failure: Failure): string {
  const object = parseObject(text);
  if (jsonKey === undefined) {
    if (object === undefined) return text;
    throw failure("is a JSON object, not a single value", "add # and the key of the value you want");
  }
  if (object === undefined)
    throw failure("is not a JSON object", "remove # and what follows it if the whole text is the secret");
  const value = Object.hasOwn(object, jsonKey) ? object[jsonKey] : undefined;
  if (typeof value === "string") return value;
  throw failure(`has no text under the key ${jsonKey}`, "correct what follows #");
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
