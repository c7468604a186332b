import type { z } from "zod";
import { parsePause } from "./duration.ts";
import { choice, list, read, section } from "./fields.ts";
import { parseListen } from "./listen.ts";
import { parseCron, parseTimeZone } from "./schedule.ts";
import type { SecretRef } from "./secret.ts";
import { parsePlainUrl } from "./url.ts";
import { SCHEME_NAMES } from "./webhook.ts";

/** The sections that say when Holdfast runs and whom it notifies. */

const cron = () => read(parseCron, '"30 2 * * *"', "When `export --schedule` runs.");
const timezone = () => read(parseTimeZone, "a name such as Europe/Berlin", "The IANA time zone of cron.");
const jitter = () =>
  read(
    (value) => parsePause(value, 12),
    "a time such as PT10M",
    "Each run is delayed by a random time up to this, so that not every client calls a provider in the same second.",
  );

export function scheduleSection() {
  return section(
    {
      cron: cron().prefault("30 2 * * *"),
      timezone: timezone().prefault("UTC"),
      jitter: jitter().prefault("PT0S"),
      grace: read(
        (value) => parsePause(value, 24),
        "a time such as PT50S",
        "After a stop signal, how long a run may take to finish its current work. Keep it below the timeout of systemd, Docker or Kubernetes.",
      ).prefault("PT50S"),
    },
    "When the daemon exports, and how it stops.",
  );
}

export function clientScheduleSection() {
  return section(
    { cron: cron().optional(), timezone: timezone().optional(), jitter: jitter().optional() },
    "When the daemon exports this client, if not at the same time as the others.",
  );
}

export function sourceScheduleSection() {
  return section(
    { cron: cron().optional(), timezone: timezone().optional(), jitter: jitter().optional() },
    "When the daemon exports this source, if not together with the client's others.",
  );
}

export function metricsSection() {
  return section(
    {
      listen: read(
        parseListen,
        "an address such as 127.0.0.1:9464",
        "Where `export --schedule` answers GET /metrics, /healthz and /readyz.",
      ).optional(),
      pushgateway: read(
        parsePlainUrl,
        "http://host:9091",
        "A Prometheus Pushgateway. Every export outside the daemon sends its metrics there when it finishes.",
      ).optional(),
    },
    "How Prometheus gets the metrics.",
  );
}

export function inboxSection() {
  return section(
    {
      listen: read(
        parseListen,
        "an address such as 127.0.0.1:8480",
        "Where `export --schedule` and `inbox` receive the providers' webhooks, as POST /hooks/<client>/<source>. Put a proxy with TLS in front.",
      ).optional(),
      export: choice(
        ["nightly", "at-once"],
        "When people whom a webhook names are exported. nightly: in the next run. at-once: `export --schedule` exports them within a minute, also those that a separate `inbox` with the same state receives.",
      ).prefault("nightly"),
    },
    "The receiver of the providers' webhooks, and when what they name is exported.",
  );
}

export function webhookSection(secretRef: (doc: string) => z.ZodType<SecretRef, string>) {
  return section(
    {
      secrets: list(
        secretRef("The secret that the provider shows for this webhook."),
        "one reference, or two while the provider replaces the secret",
        { min: 1, max: 4 },
      ).meta({ description: "The secrets that a webhook may be signed with." }),
      scheme: choice(
        SCHEME_NAMES,
        "How the provider signs. Default: as its kind does. Write standard-webhooks if a gateway signs in its place.",
      ).optional(),
    },
    "Receives the provider's webhooks for this source, at inbox.listen.",
  );
}

export function notifySection(secretRef: (doc: string) => z.ZodType<SecretRef, string>) {
  return section(
    {
      healthchecks: secretRef(
        "A ping URL from healthchecks.io. Holdfast requests <url>/start, <url> and <url>/fail. Anyone with the URL can ping, so it is a secret.",
      ).optional(),
      webhook: section(
        {
          url: secretRef("A URL that accepts POST requests."),
          key: secretRef("The key that signs the requests (Standard Webhooks): whsec_ followed by base64."),
        },
        "Your own endpoint for the same notifications, signed.",
      ).optional(),
    },
    "Whom Holdfast notifies when a run starts, ends and fails.",
  );
}
