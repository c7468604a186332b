import { Document, isScalar, YAMLMap, YAMLSeq } from "yaml";
import { presetInWords, presetOf } from "./presets.ts";

/** What a first config is made of, as a person says it. An empty text is left out of the config. */
export type Answers = Readonly<Partial<Record<AnswerName, string>>>;

export type AnswerName =
  | "client"
  | "provider"
  | "vault"
  | "endpoint"
  | "region"
  /** Public keys, with spaces between them. */
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

/** A config for people to go on with: what was answered, with a word on each field. Answers stand in values only. */
export function firstConfig(answers: Answers): string {
  const { client, provider, vault, endpoint, region, recipients = "", law, collect, origin, state, apiKey } = answers;
  const { keep, from, legalBasis } = answers;
  const preset = presetOf(law);
  const document = new Document({
    state,
    clients: [
      {
        id: client,
        collect,
        ...(legalBasis ? { legalBasis: [legalBasis] } : {}),
        source: { kind: provider, apiKey },
        recipients: publicKeys(recipients),
        vault: {
          url: vault,
          ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
          ...(region ? { region } : {}),
          lock: "governance",
        },
        lookups: { key: keyFile(answers, "lookup-key"), fields: ["email"] },
        log: { origin, key: keyFile(answers, "log-key") },
        retention: preset ? { preset: law } : { keep, from },
      },
    ],
  });
  document.commentBefore = lines(
    "The configuration of Holdfast, made by `holdfast new`. config/holdfast.example.yaml has every field there is.",
    "No secret is written here, only where it is: env:NAME, file:/path or aws-secretsmanager:name.",
    "Relative paths begin in this file's folder. After a change run `holdfast doctor`.",
  );
  const about = (path: readonly (string | number)[], ...text: readonly string[]): void => {
    const section = document.getIn(path.slice(0, -1));
    if (!(section instanceof YAMLMap)) return;
    const pair = section.items.find(({ key }) => isScalar(key) && key.value === path.at(-1));
    if (isScalar(pair?.key)) pair.key.commentBefore = lines(...text);
  };
  const first = ["clients", 0];
  about(["state"], "Journal and catalog: on a local disk that survives a restart.");
  about(
    ["clients"],
    "When `export --schedule` runs. Default: every night at 02:30 UTC.",
    'schedule: { cron: "30 2 * * *", timezone: Europe/Berlin }',
  );
  about([...first, "collect"], "full: all that the provider has. minimal: yes and no answers only.");
  about([...first, "legalBasis"], "The rules of law that require the copies. They are written into every record.");
  about(
    [...first, "source"],
    "The provider. Its API key is read when it is needed: put it there, for this user alone.",
  );
  about(
    [...first, "recipients"],
    "Public age keys. Any one of their private keys opens every record; two are advised.",
  );
  about(
    [...first, "vault"],
    "lock: governance can be lifted by someone with that right, compliance by no one: change to it once you are sure.",
  );
  if (endpoint) about([...first, "vault", "forcePathStyle"], "https://server/bucket; false for https://bucket.server");
  about(
    [...first, "lookups"],
    "How a record is found: also metadata.<name>, document.number. Back the key up: it can never be replaced.",
  );
  about([...first, "log"], "The audit log. Never change its name. Back its key up, too, apart from this machine.");
  about(
    [...first, "retention"],
    ...(preset
      ? [...presetInWords(preset), "It is also the legal basis that is written into every record."]
      : ["How long copies are kept, and what starts that time."]),
  );
  const item = document.getIn(first);
  if (item instanceof YAMLMap) item.commentBefore = lines("It stands in every record: never change the id.");
  const fields = document.getIn([...first, "lookups", "fields"]);
  if (fields instanceof YAMLSeq) fields.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** As the library takes a comment: each line without its #. */
function lines(...text: readonly string[]): string {
  return text.map((line) => ` ${line}`).join("\n");
}

export function publicKeys(answer: string): string[] {
  return answer.split(/\s+/).filter((key) => key !== "");
}

/** `file:./keys/acme-bank.log-key`. Not `.log`: that is what clean-up scripts delete first. */
export function keyFile({ client, keys = "." }: Answers, kind: "lookup-key" | "log-key" | "api-key"): string {
  return `file:${keys.replace(/\/+$/, "")}/${client}.${kind}`;
}
