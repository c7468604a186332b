import { HoldfastError } from "../core/error.ts";
import { isProviderKind, PROVIDER_KINDS, type ProviderKind } from "../provider/provider.ts";
import { isClose } from "./close-word.ts";
import type { ClientConfig } from "./config.ts";
import type { SourceConfig } from "./source-config.ts";
import { activeSources, askedSources } from "./sources.ts";

/** An id of a person as written: the provider's own, or with a prefix that says whose it is: `persona:inq_…`. */
export interface NamedIdentity {
  readonly id: string;
  /** A source's name or a provider's kind; undefined if the id has no such prefix. */
  readonly prefix: string | undefined;
  /** What is before a colon, if it is almost such a prefix: probably a typing error. The rest of an id is not repeated. */
  readonly mistyped?: string;
  /** The providers that may have it: also those that are no longer in the config. */
  readonly kinds: readonly ProviderKind[];
  /** The client's sources that may have it. */
  readonly sources: readonly SourceConfig[];
}

/** Reads an id. Anything before a colon that is neither a source of this client nor a provider is part of the id. */
export function parseNamedIdentity(text: string, { sources }: Pick<ClientConfig, "sources">): NamedIdentity {
  const [, first = "", rest = ""] = /^\s*([a-z0-9-]+):\s*(.+)$/is.exec(text) ?? [];
  const prefix = first.toLowerCase();
  const source = sources.find(({ name }) => name === prefix);
  if (source) return { id: rest, prefix, kinds: [source.kind], sources: [source] };
  if (isProviderKind(prefix))
    return { id: rest, prefix, kinds: [prefix], sources: sources.filter(({ kind }) => kind === prefix) };
  const isMistyped = [...sources.map(({ name }) => name), ...PROVIDER_KINDS].some((name) => isClose(name, prefix));
  return {
    id: text,
    prefix: undefined,
    kinds: PROVIDER_KINDS,
    sources,
    ...(isMistyped ? { mistyped: prefix } : {}),
  };
}

/** `no source and no provider is called personna`, or undefined. */
export function mistypedText({ mistyped }: NamedIdentity): string | undefined {
  return mistyped === undefined ? undefined : `no source and no provider is called ${mistyped}`;
}

/** How the ids of a provider begin, where no other provider's do. */
const BEGINS: Partial<Readonly<Record<ProviderKind, string>>> = { persona: "inq_", stripe: "vs_" };

/** Which sources a run asks, and for which ids. */
export interface AskedSources {
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
export function askedOf(config: ClientConfig, identities: readonly string[] | undefined): AskedSources {
  if (identities === undefined) return { only: config.only, idsOf: () => undefined, numbersOf: () => [] };
  const of = Map.groupBy(
    identities.map((text, at) => {
      const named = parseNamedIdentity(text, config);
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

function sourceOf(named: NamedIdentity, config: ClientConfig): string {
  const { prefix, sources } = named;
  const mistyped = mistypedText(named);
  if (mistyped !== undefined) throw new HoldfastError("usage", mistyped, { hint: writeBefore(named, config) });
  const asked = askedSources(config).filter((source) => sources.includes(source));
  const [only, ...others] = asked;
  if (only && others.length === 0) return only.name;
  const add = writeBefore(named, config);
  if (others.length > 0) {
    const what =
      prefix === undefined ? "an id does not say which source it is of" : "several sources are of that provider";
    throw new HoldfastError("usage", `${what}, but ${config.id} has several`, { hint: add });
  }
  if (sources.length > 0 && sources.every(({ retired }) => retired))
    throw new HoldfastError("usage", `the source of that id is retired: ${config.id} does not ask it`, {
      hint: "Its records are in the vault: use `holdfast retrieve`.",
    });
  if (prefix !== undefined && sources.length > 0 && config.only !== undefined)
    throw new HoldfastError(
      "usage",
      `--source ${config.only.join(", ")} and the id's ${prefix} name different sources`,
      {
        hint: `Leave out --source, or write --source ${sources.map(({ name }) => name).join(" or ")}.`,
      },
    );
  throw new HoldfastError("usage", `${config.id} asks no source that this id can be of`, { hint: add });
}

/** Names one source only if the id shows that it is of that one. */
function writeBefore({ id, prefix, mistyped }: NamedIdentity, config: ClientConfig): string {
  const active = activeSources(config);
  const own = mistyped === undefined ? id : id.slice(id.indexOf(":") + 1).trim();
  const alike = active.filter(({ kind }) => BEGINS[kind] !== undefined && own.startsWith(BEGINS[kind]));
  if (prefix === undefined && alike.length === 1) return `Write ${alike[0]!.name}: before the id.`;
  return `Write the source before the id, with a colon: ${active.map(({ name }) => `${name}:…`).join(" or ")}.`;
}
