import { activeSources } from "../config/sources.ts";
import { HoldfastError } from "../core/error.ts";
import type { Ledger } from "../held/ledger.ts";
import type { Log } from "../observe/log.ts";
import type { Exporting } from "./context.ts";

/**
 * Asks which project of its provider the source answers for, and logs it where that is new. Returns the provider's id of it.
 * @throws HoldfastError "config" where another source of the client answers for the same project
 */
export async function noteProject(exporting: Exporting, ledger: Ledger, log: Log): Promise<string> {
  const { source, sourceConfig, catalog, tokens } = exporting;
  const { id: project } = await source.project();
  const known = catalog.sources.known(sourceConfig.name);
  const found = { kind: source.kind, project: tokens.project(source.kind, project) };
  refuseTwin(exporting, found);
  if (known?.kind === found.kind && known.project === found.project) return project;
  if (known)
    log.warn("the source now answers for another project of its provider; whom it does not list is not gone", {
      source: sourceConfig.name,
    });
  await ledger.log({ type: "source.changed", source: sourceConfig.name, ...found });
  return project;
}

/**
 * People belong to a project: of two sources with one project, each would take the other's people for gone. Onfido and
 * Sumsub name no account, so two accounts of one region look like one project.
 * @throws HoldfastError "config"
 */
function refuseTwin({ config, sourceConfig, catalog }: Exporting, found: { kind: string; project: string }): void {
  const twin = activeSources(config).find(({ name }) => {
    const other = name === sourceConfig.name ? undefined : catalog.sources.known(name);
    return other?.kind === found.kind && other.project === found.project;
  });
  if (!twin) return;
  throw new HoldfastError(
    "config",
    `the sources ${twin.name} and ${sourceConfig.name} are of one project of their provider`,
    {
      hint: "Remove one of them. If they are two accounts that the provider does not tell apart, give each a client of its own, with its own vault.",
    },
  );
}
