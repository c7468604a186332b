import type { FolderSourceConfig, KeyedSourceConfig } from "../config/source-config.ts";
import type { Clock } from "../core/clock.ts";
import type { ApiKind } from "../provider/provider.ts";
import { type FolderOptions, FolderSource } from "./folder/folder.ts";
import { openStore } from "./folder/open.ts";
import type { HttpOptions } from "./http-options.ts";
import { OnfidoSource } from "./onfido/onfido.ts";
import { PassbaseSource } from "./passbase/passbase.ts";
import { PersonaSource } from "./persona/persona.ts";
import type { Source } from "./source.ts";
import { StripeSource } from "./stripe/stripe.ts";
import { SumsubSource } from "./sumsub/sumsub.ts";
import { VeriffSource } from "./veriff/veriff.ts";

/** How a source sends requests: its key, its limits and whom to tell; and the run's clock. */
export interface DriverOptions extends HttpOptions {
  readonly now?: Clock;
}

type Driver<K extends ApiKind> = (config: Extract<KeyedSourceConfig, { kind: K }>, options: DriverOptions) => Source;

/** What opens a source, by the kind of its provider. */
const DRIVERS: { readonly [K in ApiKind]: Driver<K> } = {
  passbase: (_, options) => new PassbaseSource(options),
  persona: ({ completed }, options) => new PersonaSource({ ...options, completed }),
  stripe: ({ account }, options) => new StripeSource({ ...options, account }),
  onfido: ({ clientId }, options) => new OnfidoSource({ ...options, clientId }),
  sumsub: ({ appToken, aml }, options) => new SumsubSource({ ...options, appToken, aml }),
  veriff: ({ integrationKey }, options) => new VeriffSource({ ...options, integrationKey }),
};

export function openDriver(config: KeyedSourceConfig, options: DriverOptions): Source {
  // The compiler does not see that both come from the same kind.
  return (DRIVERS[config.kind] as Driver<ApiKind>)(config, options);
}

/** A source without a key. */
export async function openKeyless(config: FolderSourceConfig, options: FolderOptions): Promise<Source> {
  return new FolderSource(config, await openStore(config), options);
}
