/** Refusals, in Stripe's form. A message quotes ids and the end of the key, as Stripe's do: no client may log it. */

interface Details {
  readonly code?: string;
  readonly param?: string;
  /** The value of `Stripe-Rate-Limited-Reason`. */
  readonly reason?: string;
  readonly type?: string;
}

export class Refusal extends Error {
  readonly status: number;
  readonly details: Details;

  constructor(status: number, message: string, details: Details = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }

  get body(): string {
    const { code, param, type = "invalid_request_error" } = this.details;
    return JSON.stringify({
      error: {
        type,
        ...(code === undefined ? {} : { code, doc_url: `https://docs.stripe.com/error-codes/${code}` }),
        message: this.message,
        ...(param === undefined ? {} : { param }),
      },
    });
  }

  get headers(): Record<string, string> {
    const { reason } = this.details;
    return reason === undefined ? {} : { "Stripe-Rate-Limited-Reason": reason };
  }
}

const tail = (key: string) => `${key.slice(0, 8)}${"*".repeat(20)}${key.slice(-4)}`;

export const noKey = () => new Refusal(401, "You did not provide an API key.");
export const wrongKey = (key: string) => new Refusal(401, `Invalid API Key provided: ${tail(key)}`);
export const badRequest = (message: string, param?: string) =>
  new Refusal(400, message, param === undefined ? {} : { param });
export const missing = (what: string, id: string, param = "id", status = 404) =>
  new Refusal(status, `No such ${what}: '${id}'`, { code: "resource_missing", param });
export const unknownPath = (method: string, path: string) =>
  new Refusal(404, `Unrecognized request URL (${method}: ${path}).`);
export const forbidden = (key: string, permission: string) =>
  new Refusal(403, `The provided key '${tail(key)}' does not have the required permissions: '${permission}'.`);
export const wrongAddress = (key: string) =>
  new Refusal(403, `The API key provided (${tail(key)}) does not allow requests from your IP address.`);
export const wrongAccount = (key: string, account: string) =>
  new Refusal(403, `The provided key '${tail(key)}' does not have access to account '${account}'.`);
export const broken = () => new Refusal(500, "An unknown error occurred.", { type: "api_error" });
export const unavailable = () => new Refusal(503, "Service temporarily unavailable.", { type: "api_error" });
/** Without a reason it is an object that another request has locked. */
export const tooMany = (reason: string | undefined) =>
  reason === undefined
    ? new Refusal(429, "This object cannot be accessed right now.", { code: "lock_timeout" })
    : new Refusal(429, "Request rate limit exceeded.", { code: "rate_limit", reason });
