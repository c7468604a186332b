import type { z } from "zod";
import { parsePause } from "./duration.ts";
import { read, section } from "./fields.ts";
import { parseListen } from "./listen.ts";
import { parseCron, parseTimeZone } from "./schedule.ts";
import type { SecretRef } from "./secret.ts";
import { parsePlainUrl } from "./url.ts";

/** The sections about when it runs and who is told. */

const cron = () => read(parseCron, '"30 2 * * *"', "When `export --schedule` runs.");
const timezone = () => read(parseTimeZone, "a name such as Europe/Berlin", "The IANA time zone of cron.");
const jitter = () =>
  read(
    (value) => parsePause(value, 12),
    "a time such as PT10M",
    "Each run begins up to so much later, at random: not everyone asks a provider at the same second.",
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
        "Told to stop, a run may take so long to finish what is under way; less than whoever stops it waits.",
      ).prefault("PT50S"),
    },
    "When the daemon exports, and how it stops.",
  );
}

export function clientScheduleSection() {
  return section(
    { cron: cron().optional(), timezone: timezone().optional(), jitter: jitter().optional() },
    "When the daemon exports this client, where that is not when it exports the others.",
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
        "A Prometheus Pushgateway, which every export that is not the daemon's tells its metrics at its end.",
      ).optional(),
    },
    "Where Prometheus finds the metrics.",
  );
}

export function notifySection(secretRef: (doc: string) => z.ZodType<SecretRef, string>) {
  return section(
    {
      healthchecks: secretRef(
        "A ping address as healthchecks.io gives one: asked as <url>/start, <url>, and <url>/fail. Who has it can ping, so it is a secret.",
      ).optional(),
      webhook: section(
        {
          url: secretRef("An address that takes POST requests."),
          key: secretRef("What they are signed with, as Standard Webhooks has it: whsec_ and base64."),
        },
        "An address of yours that is told the same, signed.",
      ).optional(),
    },
    "Who is told when a run starts, ends and fails.",
  );
}
