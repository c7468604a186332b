import { AsyncLocalStorage } from "node:async_hooks";
import * as z from "zod";
import { choice, distinct, list, read, secret, section, whole } from "./fields.ts";
import { ID, LOOKUPS, parseFile, parseId, parseLine, parseLookup, parseRule, parseState } from "./names.ts";
import { clientScheduleSection, inboxSection, metricsSection, notifySection, scheduleSection } from "./operation.ts";
import { MAX_CLIENTS } from "./raw.ts";
import { SecretRef } from "./secret.ts";
import { approversList, recipientsField, retentionSection, vaultSection } from "./sections.ts";
import { sourceSection } from "./source-section.ts";
import { parseOrigin, parsePlainUrl } from "./url.ts";

/**
 * Checks a config file, field by field. Rules between fields are in `rules.ts`, so that an invalid field does not hide other
 * problems. Relative paths are resolved against `folder`.
 */
export function checkConfig(value: unknown, folder: string): Promise<z.ZodSafeParseResult<ParsedConfig>> {
  return folders.run(folder, () => configSchema().safeParseAsync(value));
}

/** Made once for all folders: to make it takes several times as long as to check a config. */
const folders = new AsyncLocalStorage<string>();
let made: ReturnType<typeof makeSchema> | undefined;

function configSchema() {
  made ??= makeSchema(() => folders.getStore()!);
  return made;
}

function makeSchema(folder: () => string) {
  const state = (value: string) => parseState(value, folder());
  return section(
    {
      state: read(state, "a path such as ./state", "Journal and catalog: one subdirectory per client.").prefault(
        "./state",
      ),
      schedule: scheduleSection().prefault({}),
      metrics: metricsSection().prefault({}),
      inbox: inboxSection().prefault({}),
      clients: list(clientSection(folder), "at least one client: - id: …", { min: 1, max: MAX_CLIENTS }).meta({
        description: "The organisations Holdfast keeps copies for.",
      }),
    },
    "Configuration of Holdfast.",
  );
}

export type ParsedConfig = z.output<ReturnType<typeof makeSchema>>;

/** The most sources of one client. */
const MAX_SOURCES = 20;

/** For editors; `rules.ts` checks it for everyone else. */
const BETWEEN_FIELDS = {
  if: {
    properties: { collect: { const: "full" }, retention: { not: { required: ["preset"] } } },
    required: ["collect"],
  },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema uses this name, and no one awaits a schema.
  then: { required: ["legalBasis"], properties: { legalBasis: { minItems: 1 } } },
  oneOf: [{ required: ["source"] }, { required: ["sources"] }],
};

function clientSection(folder: () => string) {
  const secretRef = (doc: string) => secret((value) => SecretRef.parse(value, folder()), doc);
  return section(
    {
      id: read(parseId, "a short name such as acme-bank", "The name on the command line and in the vault.", ID.source),
      company: section(
        {
          name: read(parseLine, "Acme Bank AG", "The legal name."),
          contact: read(
            parseLine,
            "Data protection officer, dpo@acme-bank.example",
            "Whom to write to about personal data, in one line.",
          ).optional(),
        },
        "The company as it is named on reports, certificates and letters, and in bags. Default: the id.",
      ).optional(),
      collect: choice(
        ["minimal", "full"],
        "minimal keeps yes/no answers only. full keeps everything, including document images, and needs a legalBasis.",
      ).prefault("minimal"),
      legalBasis: distinct(
        list(read(parseRule, '"Regulation (EU) 2024/1624 Art. 77"', "A rule."), "the rules of law", { max: 20 }),
      )
        .prefault([])
        .meta({
          description: "The legal rules that require the copies; written into every record. Required for full.",
        }),
      minimal: section(
        {
          overAge: distinct(list(whole(1, 120, "An age in years."), "ages such as [18]", { min: 1, max: 10 }))
            .prefault([18])
            .meta({
              description: "Ages: for each one, a minimal record says whether the person is at least that old.",
            }),
        },
        "What a minimal record says besides whether the person is verified.",
      ).prefault({}),
      source: sourceSection(secretRef, folder)
        .optional()
        .meta({ description: "Where identities come from. For several providers, or projects of one, use `sources`." }),
      sources: list(sourceSection(secretRef, folder), "a list: - kind: …", { min: 1, max: MAX_SOURCES })
        .optional()
        .meta({
          description:
            "Where identities come from, instead of `source`: one vault may have several providers, also retired ones.",
        }),
      recipients: recipientsField(),
      vault: vaultSection(folder),
      lookups: section(
        {
          key: secretRef(
            "The key for lookup tokens; `init` creates the file. Without this key, records cannot be found.",
          ),
          fields: distinct(list(read(parseLookup, LOOKUPS, "A value to find records by."), LOOKUPS, { max: 20 }))
            .prefault(["email"])
            .meta({ description: "What `retrieve` can find a record by, besides the provider's id." }),
        },
        "How to find records without opening them.",
      ),
      log: section(
        {
          origin: read(parseOrigin, "acme-bank.example/holdfast", "The log's name: a domain of yours and a path."),
          key: secretRef("The key that signs the log; `init` creates the file."),
          previousKey: secretRef(
            "The old signing key, while `init` hands the log over to a new `key`. Remove it afterwards.",
          ).optional(),
          timestamps: section(
            {
              url: read(parsePlainUrl, "https://host/path", "The authority's URL."),
              ca: read(
                (value) => parseFile(value, folder()),
                "a file such as file:./tsa-root.pem",
                "The root certificates (PEM) that its signatures must chain to.",
              ),
            },
            "A time-stamping authority (RFC 3161). It stamps the log's checkpoint at the end of each run, which proves the time by a clock that is not yours.",
          ).optional(),
        },
        "The audit log.",
      ),
      retention: retentionSection(),
      schedule: clientScheduleSection().prefault({}),
      notify: notifySection(secretRef).prefault({}),
      retrieval: section(
        {
          approvals: approversList(
            "Who may approve a retrieval. If anyone is listed, `retrieve` hands out nothing without a signature from one of them.",
          ).prefault([]),
        },
        "Who must agree before records are handed out.",
      ).prefault({}),
    },
    "An organisation with a legal duty to keep copies, and its one vault.",
  ).meta(BETWEEN_FIELDS);
}

/** The config file as JSON Schema, for editors. `npm run docs` writes it to `config/holdfast.schema.json`. */
export function jsonSchema(): object {
  // YAML editors support draft 7 best.
  const schema = z.toJSONSchema(configSchema(), { io: "input", target: "draft-07" });
  return { ...schema, title: "Holdfast" };
}
