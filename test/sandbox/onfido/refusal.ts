/** Refusals, with the bodies that Onfido sends. Its messages name ids. */

export class Refusal extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }

  get body(): string {
    return JSON.stringify({ error: { type: this.type, message: this.message, fields: {} } });
  }
}

export const unauthorized = () =>
  new Refusal(401, "authorization_error", "Authorization error: please re-check your credentials");
export const forbidden = () => new Refusal(403, "user_authorization_error", "The sandbox changes nothing");
export const unnamed = () => new Refusal(404, "resource_not_found", "Could not find the following resource");
export const invalid = (what: string) => new Refusal(422, "validation_error", what);
export const broken = () => new Refusal(500, "internal_server_error", "Something went wrong");
export const unavailable = () => new Refusal(503, "service_unavailable", "Service unavailable");
export const tooMany = () => new Refusal(429, "rate_limit", "Rate limit exceeded");

export const notFound = (kind: string, id: string) =>
  new Refusal(404, "resource_not_found", `Could not find the following resource: ${kind} with id=${id}`);
export const gone = (kind: string) => new Refusal(410, "gone", `${kind} has been deleted`);
