import type { ApiKind } from "../../../src/provider/provider.ts";
import { folder, folderInBucket } from "./folder.ts";
import type { HttpProvider } from "./http/stage.ts";
import { onfido } from "./onfido.ts";
import { passbase } from "./passbase.ts";
import { persona } from "./persona.ts";
import type { Provider } from "./stage.ts";
import { stripe } from "./stripe.ts";
import { sumsub } from "./sumsub.ts";
import { veriff } from "./veriff.ts";

/** Every provider with an API: the compiler asks for a new one here. */
export const APIS: Readonly<Record<ApiKind, HttpProvider>> = { passbase, persona, stripe, onfido, sumsub, veriff };

/** Every source. */
export const PROVIDERS: readonly Provider[] = [...Object.values(APIS).map(objecting), folder, folderInBucket];

/** The same provider, which also says what it would object to. */
function objecting(provider: HttpProvider): Provider {
  return {
    ...provider,
    start: async (options) => {
      const stage = await provider.start(options);
      const wrong = new Set<string>();
      stage.intercept((request) => {
        const found = stage.wrongIn(request);
        if (found !== undefined) wrong.add(`${stage.asked(request)}: ${found}`);
        return false;
      });
      return { ...stage, objections: () => [...wrong, ...stage.leaks()] };
    },
  };
}
