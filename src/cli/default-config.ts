import { existsSync } from "node:fs";
import { HoldfastError } from "../core/error.ts";

/** Where a command looks for the config that no `--config` names: in this order, from where the person stands. */
export const PLACES = ["holdfast.yaml", "config/holdfast.yaml", "/etc/holdfast/holdfast.yaml"];

/** The first that is there. */
export function foundConfig(): string | undefined {
  return PLACES.find((place) => existsSync(place));
}

/** The same; throws `config` where there is none. */
export function defaultConfig(): string {
  const found = foundConfig();
  if (found !== undefined) return found;
  throw new HoldfastError("config", `there is no config file here: looked for ${PLACES.join(", ")}`, {
    mend: "Make one with `holdfast new`, or name yours with --config.",
  });
}
