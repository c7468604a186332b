import type { ActiveSourceConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import type { ProviderKind } from "../provider/provider.ts";
import type { HttpOptions } from "./http.ts";
import { PassbaseSource } from "./passbase/passbase.ts";
import type { Source } from "./source.ts";

type Driver<K extends ProviderKind> = (
  config: Extract<ActiveSourceConfig, { kind: K }>,
  options: HttpOptions,
) => Source;

/** What opens a source, by the kind of its provider. */
const DRIVERS: { readonly [K in ProviderKind]: Driver<K> } = {
  passbase: (_, options) => new PassbaseSource(options),
  persona: () => {
    throw new HoldfastError("internal", "this version of Holdfast cannot ask Persona yet");
  },
};

/** @param options how it sends requests: its key, its limits and whom to tell */
export function openDriver(config: ActiveSourceConfig, options: HttpOptions): Source {
  // The compiler does not see that both come from the same kind.
  return (DRIVERS[config.kind] as Driver<ProviderKind>)(config, options);
}
