import type { ProviderKind } from "../../../src/provider/provider.ts";
import { onfido } from "./onfido.ts";
import { passbase } from "./passbase.ts";
import { persona } from "./persona.ts";
import type { Provider } from "./stage.ts";
import { stripe } from "./stripe.ts";
import { sumsub } from "./sumsub.ts";
import { veriff } from "./veriff.ts";

/** Every provider that the program knows: the compiler asks for a new one here. */
export const PROVIDERS: Readonly<Record<ProviderKind, Provider>> = {
  passbase,
  persona,
  stripe,
  onfido,
  sumsub,
  veriff,
};
