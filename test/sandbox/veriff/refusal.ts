/**
 * Refusals, with bodies as Veriff's documentation shows them. It names the codes 1101, 1305 and 1306; the others are
 * invented, and so is which status refuses watchlist results to an integration without them.
 */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  /** `fail`, or for some refusals the number of the status as text. */
  readonly word: string;

  constructor(status: number, code: string, message: string, word = "fail") {
    super(message);
    this.status = status;
    this.code = code;
    this.word = word;
  }

  get body(): string {
    return JSON.stringify({ status: this.word, code: this.code, message: this.message });
  }
}

export const noClient = () =>
  new Refusal(401, "1101", "Mandatory X-AUTH-CLIENT header containing the API key is missing from the request.");
export const wrongClient = () => new Refusal(401, "1102", "The API key in X-AUTH-CLIENT is not known.");
export const wrongSignature = () => new Refusal(401, "1103", "X-HMAC-SIGNATURE is missing or does not match.");
export const missing = (what: string) => new Refusal(404, "1104", `${what} not found`);
export const unnamed = () => new Refusal(404, "1105", "Not found");
export const forbidden = () => new Refusal(403, "1106", "Not available for this integration.");
export const readOnly = () => new Refusal(403, "1107", "The sandbox changes nothing.");
export const notCompleted = () => new Refusal(400, "1305", "Session is not completed.", "400");
export const inProgress = () => new Refusal(400, "1306", "Session is in progress.", "400");
export const tooMany = () => new Refusal(429, "1429", "Too many requests.");
export const broken = () => new Refusal(500, "1500", "Internal server error.");
export const unavailable = () => new Refusal(503, "1503", "Service unavailable.");
