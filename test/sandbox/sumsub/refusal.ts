/** Refusals, with the bodies that Sumsub sends. Its descriptions name ids. */

export class Refusal extends Error {
  readonly status: number;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(status: number, description: string, detail: Readonly<Record<string, unknown>> = {}) {
    super(description);
    this.status = status;
    this.detail = detail;
  }

  body(correlationId: string): string {
    return JSON.stringify({ description: this.message, code: this.status, correlationId, ...this.detail });
  }
}

/** The same for a wrong signature, an unknown token and a time that is too far off: a client cannot tell them apart. */
export const mismatch = () =>
  new Refusal(401, "Request signature mismatch", { errorCode: 4003, errorName: "app-token-signature mismatch" });
export const forbidden = (what: string) => new Refusal(403, `The app token is not allowed to ${what}`);
export const notFound = (kind: string, id: string) => new Refusal(404, `${kind} ${id} not found`);
export const unnamed = () => new Refusal(404, "Not found");
export const invalid = (what: string) => new Refusal(400, what);
export const tooMany = () => new Refusal(429, "Too many requests");
export const broken = () => new Refusal(500, "Internal server error");
export const unavailable = () => new Refusal(503, "Service unavailable");
