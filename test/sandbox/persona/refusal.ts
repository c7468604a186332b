/** Refusals, with the bodies that the specification shows. */

export class Refusal extends Error {
  readonly status: number;
  readonly title: string;
  readonly details: string | undefined;

  constructor(status: number, title: string, details?: string) {
    super(details ?? title);
    this.status = status;
    this.title = title;
    this.details = details;
  }

  get body(): string {
    return JSON.stringify({ errors: [{ title: this.title, ...(this.details ? { details: this.details } : {}) }] });
  }
}

export const badRequest = (details: string) => new Refusal(400, "Bad Request", details);
export const noKey = () => new Refusal(401, "Must be authenticated to access this endpoint");
export const wrongKey = () => new Refusal(401, "Token is invalid");
export const forbidden = (details: string) => new Refusal(403, "Forbidden", details);
export const notFound = () => new Refusal(404, "Record not found");
export const conflict = (details: string) => new Refusal(409, "Conflict", details);
export const unavailable = () => new Refusal(503, "Service unavailable");
export const broken = () => new Refusal(500, "Internal server error");

export function tooMany(limit: number): Refusal {
  const details = `You have hit your rate limit of ${limit} requests / min. Please reach out to support if you need this changed.`;
  return new Refusal(429, "Rate limit exceeded", details);
}
