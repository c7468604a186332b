import { HoldfastError } from "../core/error.ts";
import { isProviderKind, PROVIDER_KINDS, type ProviderKind } from "../provider/provider.ts";
import type { ClientConfig, SourceConfig } from "./config.ts";
import { activeSources, askedSources } from "./sources.ts";

/** An id of a person as written: the provider's own, or with a prefix that says whose it is: `persona:inq_…`. */
export interface NamedIdentity {
  readonly id: string;
  /** A source's name or a provider's kind; undefined if the id has no such prefix. */
  readonly prefix: string | undefined;
  /** The providers that may have it: also those that are no longer in the config. */
  readonly kinds: readonly ProviderKind[];
  /** The client's sources that may have it. */
  readonly sources: readonly SourceConfig[];
}

/** Reads an id. Anything before a colon that is neither a source of this client nor a provider is part of the id. */
export function parseIdentity(text: string, { sources }: Pick<ClientConfig, "sources">): NamedIdentity {
  const [, first = "", rest = ""] = /^\s*([a-z0-9-]+):\s*(.+)$/is.exec(text) ?? [];
  const prefix = first.toLowerCase();
  const source = sources.find(({ name }) => name === prefix);
  if (source) return { id: rest, prefix, kinds: [source.kind], sources: [source] };
  if (isProviderKind(prefix))
    return { id: rest, prefix, kinds: [prefix], sources: sources.filter(({ kind }) => kind === prefix) };
  return { id: text, prefix: undefined, kinds: PROVIDER_KINDS, sources };
}

/** Which sources a run asks, and for which ids. */
export interface Asked {
  readonly only: readonly string[] | undefined;
  /** Undefined: everyone. */
  readonly idsOf: (source: string) => readonly string[] | undefined;
  /** The positions of the distinct ones among these ids on the command line, from 1. */
  readonly numbersOf: (source: string) => readonly number[];
}

/**
 * The sources of the ids that the command line names. @throws HoldfastError "usage" where an id does not say which
 * source it is of, and the client has several
 */
export function askedOf(config: ClientConfig, identities: readonly string[] | undefined): Asked {
  if (identities === undefined) return { only: config.only, idsOf: () => undefined, numbersOf: () => [] };
  const of = Map.groupBy(
    identities.map((text, at) => {
      const named = parseIdentity(text, config);
      return { id: named.id, source: sourceOf(named, config), number: at + 1 };
    }),
    ({ source }) => source,
  );
  const named = (source: string) => of.get(source) ?? [];
  return {
    only: [...of.keys()],
    idsOf: (source) => named(source).map(({ id }) => id),
    numbersOf: (source) => [...Map.groupBy(named(source), ({ id }) => id).values()].map(([first]) => first!.number),
  };
}

function sourceOf({ prefix, sources }: NamedIdentity, config: ClientConfig): string {
  const asked = askedSources(config).filter((source) => sources.includes(source));
  const [only, ...others] = asked;
  if (only && others.length === 0) return only.name;
  const active = activeSources(config).map(({ name }) => name);
  const add = `Write it before the id, with a colon: ${active[0] ?? "source"}:… (${active.join(" or ")}).`;
  if (others.length > 0) {
    const what =
      prefix === undefined ? "an id does not say which source it is of" : "several sources are of that provider";
    throw new HoldfastError("usage", `${what}, but ${config.id} has several`, { hint: add });
  }
  if (sources.length > 0 && sources.every(({ retired }) => retired))
    throw new HoldfastError("usage", `the source of that id is retired: ${config.id} does not ask it`, {
      hint: "Its records are in the vault: use `holdfast retrieve`.",
    });
  throw new HoldfastError("usage", `${config.id} asks no source that this id can be of`, { hint: add });
}
