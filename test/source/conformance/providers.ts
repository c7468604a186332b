import type { ApiKind } from "../../../src/provider/provider.ts";
import { onfido } from "./onfido.ts";
import { passbase } from "./passbase.ts";
import { persona } from "./persona.ts";
import type { Provider } from "./stage.ts";
import { stripe } from "./stripe.ts";
import { sumsub } from "./sumsub.ts";
import { veriff } from "./veriff.ts";

/** Every provider with an API: the compiler asks for a new one here. `test/source/folder` holds the folder to the port. */
export const PROVIDERS: Readonly<Record<ApiKind, Provider>> = {
  passbase,
  persona,
  stripe,
  onfido,
  sumsub,
  veriff,
};
