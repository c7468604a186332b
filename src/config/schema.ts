import type { z } from "zod";
import { parseApprover } from "../core/ssh-key.ts";
import { choice, distinct, list, read, secret, section, whole } from "./fields.ts";
import { ID, LOOKUPS, parseFile, parseId, parseLookup, parseRule, parseState } from "./names.ts";
import { clientScheduleSection, metricsSection, notifySection, scheduleSection } from "./operation.ts";
import { MAX_CLIENTS } from "./raw.ts";
import { SecretRef } from "./secret.ts";
import { recipientsField, retentionSection, sourceSection, vaultSection } from "./sections.ts";
import { parseOrigin, parsePlainUrl } from "./url.ts";

/**
 * The config file, field by field. What fields say about each other is in `rules.ts`, so that a wrong field hides no
 * other problem. Relative paths are meant from `folder`.
 */
export function configSchema(folder: string) {
  const state = (value: string) => parseState(value, folder);
  return section(
    {
      state: read(state, "a path such as ./state", "Journal and catalog: one directory per client in it.").prefault(
        "./state",
      ),
      schedule: scheduleSection().prefault({}),
      metrics: metricsSection().prefault({}),
      clients: list(clientSection(folder), "at least one client: - id: …", { min: 1, max: MAX_CLIENTS }).meta({
        description: "The organisations Holdfast keeps copies for.",
      }),
    },
    "Configuration of Holdfast.",
  );
}

export type ParsedConfig = z.output<ReturnType<typeof configSchema>>;

/** For editors; `rules.ts` says it to everyone else. */
const FULL_NEEDS_LEGAL_BASIS = {
  if: {
    properties: { collect: { const: "full" }, retention: { not: { required: ["preset"] } } },
    required: ["collect"],
  },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so, and no one awaits a schema.
  then: { required: ["legalBasis"], properties: { legalBasis: { minItems: 1 } } },
};

function clientSection(folder: string) {
  const secretRef = (doc: string) => secret((value) => SecretRef.parse(value, folder), doc);
  return section(
    {
      id: read(parseId, "a short name such as acme-bank", "The name on the command line and in the vault.", ID.source),
      collect: choice(
        ["minimal", "full"],
        "minimal keeps yes/no answers only. full keeps everything, document images included, and needs a legalBasis.",
      ).prefault("minimal"),
      legalBasis: distinct(
        list(read(parseRule, '"Regulation (EU) 2024/1624 Art. 77"', "A rule."), "the rules of law", { max: 20 }),
      )
        .prefault([])
        .meta({ description: "The rules of law that ask for copies; written into every record. Needed for full." }),
      minimal: section(
        {
          overAge: distinct(list(whole(1, 120, "An age in years."), "ages such as [18]", { min: 1, max: 10 }))
            .prefault([18])
            .meta({ description: "Ages: a minimal record says for each whether the person is that old." }),
        },
        "What a minimal record answers besides whether the person is verified.",
      ).prefault({}),
      source: sourceSection(secretRef),
      recipients: recipientsField(),
      vault: vaultSection(folder),
      lookups: section(
        {
          key: secretRef("The key of lookup tokens; `init` makes the file. With another key nothing is found again."),
          fields: distinct(list(read(parseLookup, LOOKUPS, "What to find a record by."), LOOKUPS, { max: 20 }))
            .prefault(["email"])
            .meta({ description: "What `retrieve` can find a record by besides the provider's id." }),
        },
        "How records are found again without opening them.",
      ),
      log: section(
        {
          origin: read(parseOrigin, "acme-bank.example/holdfast", "The log's name: a host and a path of yours."),
          key: secretRef("The key that signs the log; `init` makes the file."),
          previousKey: secretRef(
            "The key that signed until now, while `init` hands the log over to a new `key`. Remove it afterwards.",
          ).optional(),
          timestamps: section(
            {
              url: read(parsePlainUrl, "https://host/path", "Where the authority takes requests."),
              ca: read(
                (value) => parseFile(value, folder),
                "a file such as file:./tsa-root.pem",
                "The root certificates, PEM, that its answers must lead to.",
              ),
            },
            "An authority (RFC 3161) that stamps the log's checkpoint at the end of a run: proof of when it was, by someone else's clock.",
          ).optional(),
        },
        "The audit log.",
      ),
      retention: retentionSection(),
      schedule: clientScheduleSection().prefault({}),
      notify: notifySection(secretRef).prefault({}),
      retrieval: section(
        {
          approvals: list(
            read(parseApprover, "ssh-ed25519 AAAA… ada@acme", "The public key of someone who may approve."),
            "a list of public keys",
            { max: 50 },
          )
            .prefault([])
            .meta({
              description:
                "Whoever may approve a retrieval. Where anyone is listed, `retrieve` hands out nothing without the signature of one of them.",
            }),
        },
        "Who must agree before records are handed out.",
      ).prefault({}),
    },
    "An organisation with a legal duty to hold copies, and the one vault they are in.",
  ).meta(FULL_NEEDS_LEGAL_BASIS);
}
