/** Where a request went that got no answer: `http://127.0.0.1:7480`. */
const asked = new WeakMap<object, string>();

interface Target {
  readonly protocol?: string | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | undefined;
}

/** @param request the SDK's, whose error this is */
export function noteAddress(error: unknown, request: unknown): void {
  const { protocol = "https:", hostname, port } = (request ?? {}) as Target;
  if (typeof error !== "object" || error === null || hostname === undefined) return;
  asked.set(error, `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`);
}

export function addressOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null ? asked.get(error) : undefined;
}
