import { Document, isScalar, YAMLMap, YAMLSeq } from "yaml";
import { PROVIDER_KINDS, PROVIDERS, type Provider } from "../provider/provider.ts";
import { presetInWords, presetOf } from "./presets.ts";

/** The answers that make up a first config. Empty answers are left out of the config. */
export type ConfigAnswers = Readonly<Partial<Record<AnswerName, string>>>;

export type AnswerName =
  | "client"
  | "company"
  | "provider"
  | "appToken"
  /** Of the provider's API, where it has no default. */
  | "url"
  | "integrationKey"
  | "vault"
  | "endpoint"
  | "region"
  /** Public keys, separated by spaces. */
  | "recipients"
  | "law"
  | "collect"
  | "keep"
  | "from"
  | "legalBasis"
  | "origin"
  | "state"
  | "keys"
  | "apiKey";

/** What most exports have. The person who edits it knows the names in theirs. */
const FOLDER = {
  kind: "folder",
  url: "file:./drops",
  fields: { id: "/id", updated: "/updated", email: "/email", firstName: "/firstName", lastName: "/lastName" },
  beside: "files/{id}",
};

/** What people are usually found by. Veriff has no e-mail address; Sumsub has the client's own name for a person. */
function lookupsOf(provider: string | undefined): string[] {
  if (provider === "veriff") return ["document.number", "metadata.vendorData", "metadata.endUserId"];
  return provider === "sumsub" ? ["email", "metadata.externalUserId"] : ["email"];
}

/** A first config to edit further: the answers, with a comment on each field. No comment contains an answer. */
export function firstConfig(answers: ConfigAnswers): string {
  const { client, provider, vault, endpoint, region, recipients = "", law, collect, origin, state, apiKey } = answers;
  const { company, keep, from, legalBasis, appToken, url, integrationKey } = answers;
  const preset = presetOf(law);
  const isFolder = provider === "folder";
  const document = new Document({
    state,
    clients: [
      {
        id: client,
        ...(company ? { company: { name: company } } : {}),
        collect,
        ...(legalBasis ? { legalBasis: [legalBasis] } : {}),
        source: isFolder
          ? FOLDER
          : {
              kind: provider,
              ...(url ? { url } : {}),
              ...(appToken ? { appToken } : {}),
              ...(integrationKey ? { integrationKey } : {}),
              apiKey,
            },
        recipients: publicKeys(recipients),
        vault: {
          url: vault,
          ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
          ...(region ? { region } : {}),
          lock: "governance",
        },
        lookups: { key: keyFile(answers, "lookup-key"), fields: lookupsOf(provider) },
        log: { origin, key: keyFile(answers, "log-key") },
        retention: preset ? { preset: law } : { keep, from },
      },
    ],
  });
  document.commentBefore = lines(
    "The configuration of Holdfast, created by `holdfast new`. config/holdfast.example.yaml explains every field.",
    "Never write a secret here, only where it is: env:NAME, file:/path or aws-secretsmanager:name.",
    "Relative paths are relative to this file's folder. After a change run `holdfast doctor`.",
  );
  const about = (path: readonly (string | number)[], ...text: readonly string[]): void => {
    const section = document.getIn(path.slice(0, -1));
    if (!(section instanceof YAMLMap)) return;
    const pair = section.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
    if (isScalar(pair?.key)) pair.key.commentBefore = lines(...text);
  };
  const first = ["clients", 0];
  about(["state"], "Journal and catalog: use a local disk that survives a restart.");
  about(
    ["clients"],
    "When `export --schedule` runs. Default: every night at 02:30 UTC.",
    'schedule: { cron: "30 2 * * *", timezone: Europe/Berlin }',
  );
  about(
    [...first, "company"],
    "As reports, certificates and letters name it. `contact` can be added: whom to write to.",
  );
  about([...first, "collect"], "full: everything the provider has. minimal: only yes and no answers.");
  about([...first, "legalBasis"], "The legal rules that require the copies. They are written into every record.");
  const kind = PROVIDER_KINDS.find((each) => each === provider);
  const of: Provider | undefined = kind && PROVIDERS[kind];
  about(
    [...first, "source"],
    ...(isFolder
      ? ["Drops of files: each folder in it is one. `holdfast folder check` says what these fields find."]
      : [
          `${of?.name ?? "The provider"}. Put its ${of?.key ?? "API key"} where apiKey says, readable by this user only.`,
        ]),
    "For several providers in one vault: `sources`, a list.",
  );
  about(
    [...first, "recipients"],
    "Public age keys. Any one of their private keys opens every record; two are recommended.",
  );
  about(
    [...first, "vault"],
    "governance: users with a special permission can lift a lock. compliance: no one can. Change to it once you are sure.",
  );
  if (endpoint)
    about([...first, "vault", "forcePathStyle"], "true: https://server/bucket; false: https://bucket.server");
  about(
    [...first, "lookups"],
    "How to find records: also metadata.<name>, document.number. Back up the key: it cannot be replaced.",
  );
  about([...first, "log"], "The audit log. Never change its name. Back up its key too, away from this machine.");
  about(
    [...first, "retention"],
    ...(preset
      ? [...presetInWords(preset), "This is also the legal basis that is written into every record."]
      : ["How long copies are kept, and what starts the period."]),
  );
  const item = document.getIn(first);
  if (item instanceof YAMLMap) item.commentBefore = lines("Every record contains the id: never change it.");
  const fields = document.getIn([...first, "lookups", "fields"]);
  if (fields instanceof YAMLSeq) fields.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** The library takes a comment without its #. */
function lines(...text: readonly string[]): string {
  return text.map((line) => ` ${line}`).join("\n");
}

export function publicKeys(answer: string): string[] {
  return answer.split(/\s+/).filter((key) => key !== "");
}

/** `file:./keys/acme-bank.log-key`. Not `.log`: clean-up scripts delete such files. */
export function keyFile({ client, keys = "." }: ConfigAnswers, kind: "lookup-key" | "log-key" | "api-key"): string {
  return `file:${keys.replace(/\/+$/, "")}/${client}.${kind}`;
}
