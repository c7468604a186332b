import type { Identity } from "../../src/core/identity.ts";
import { parseIdentity } from "../../src/source/passbase/answers.ts";
import type { Sandbox } from "../sandbox/server.ts";

/** An identity with one document that has these data points. */
export function person(datapoints: Readonly<Record<string, unknown>> = {}, rest: Partial<Identity> = {}): Identity {
  return {
    ...{ id: "id-1", status: "approved", verified: true, created: null, updated: "2024-05-06T07:08:09Z" },
    owner: { email: null, firstName: null, lastName: null },
    ...{ score: null, documents: [{ type: "PASSPORT", datapoints }], metadata: null, watchlist: null, network: null },
    ...rest,
  };
}

/** An identity of the sandbox, as the source returns it. */
export function sandboxed(sandbox: Sandbox, index: number): Identity {
  return parseIdentity(sandbox.text(index)).identity;
}
