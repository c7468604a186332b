import { stat } from "node:fs/promises";
import type { ClientConfig, InboxConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import type { WebhookSourceConfig } from "../config/source-config.ts";
import { webhookSources } from "../config/sources.ts";
import type { Clock } from "../core/clock.ts";
import { RouteKeys } from "../inbox/keys.ts";
import { pathOf } from "../inbox/route.ts";
import { peekRunInbox, UNOPENED_HINT } from "../inbox/run-inbox.ts";
import { peekInbox } from "../inbox/waiting.ts";
import { plural } from "../observe/format.ts";
import type { ApiKind } from "../provider/provider.ts";
import { ask } from "./ask-loopback.ts";
import { type Finding, failed, findings } from "./finding.ts";
import { tryWebhook } from "./webhook-trial.ts";

const { ok, unknown, warning } = findings("webhooks");

/** What an endpoint must be subscribed to at each provider. */
const EVENTS: Readonly<Record<ApiKind, string>> = {
  passbase: "VERIFICATION_COMPLETED, VERIFICATION_REVIEWED and DATAPOINT_UPDATED, encrypted",
  persona: "inquiry.*, verification.*, document.*, report/*, account.* and case.*",
  stripe:
    'identity.verification_session.*, and identity.verification_session.redacted by name: "all events" leaves it out',
  onfido: "workflow_run.completed, workflow_task.completed and check.*",
  sumsub: "all applicant events, also applicantDeleted and applicantPersonalDataDeleted, and amlCase events",
  veriff: "decisions, events, watchlist screening and user-defined statuses, each with a URL of its own in the portal",
};

/** An event that has waited longer than this, in hours, is of someone who fails in every run. */
const LONG = 72;

/**
 * Checks of each source with a webhook whether it would be taken now, and whether what came was read.
 * @param inbox where webhooks are received. Undefined: not checked.
 */
export async function checkInbox(config: ClientConfig, now: Clock, inbox?: InboxConfig): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const source of webhookSources(config)) {
    try {
      const { scheme, secrets } = source.webhook;
      const { handles } = await new RouteKeys(scheme, secrets, config.lookups.key).read();
      found.push(await tryWebhook(config, source, now));
      if (inbox) found.push(await checkListening(inbox, pathOf(config, source)));
      found.push(await agesOf(config, source, now()));
      const { unopened } = peekRunInbox(config.state, source, handles);
      if (unopened.count > 0)
        found.push(
          warning(
            `${pathOf(config, source)}: the closed ids of ${plural(unopened.count, "event")} do not open`,
            UNOPENED_HINT,
          ),
        );
      found.push(...waitingOf(config, source, now()));
    } catch (error) {
      found.push(failed("webhooks", error));
    }
  }
  return found;
}

/** A GET shows whether a receiver knows the path, and leaves nothing in its inbox. */
async function checkListening({ listen }: InboxConfig, path: string): Promise<Finding> {
  if (listen === undefined)
    return warning(
      `${path}: not received, because the config has no inbox.listen`,
      'Write inbox: { listen: "127.0.0.1:8480" }, and run `holdfast export --schedule` or `holdfast inbox`.',
    );
  const { host, port } = listen;
  const at = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (port === 0) return unknown(`${path}: inbox.listen names no port, so whether it is received could not be checked`);
  const answer = await ask(listen, path, { method: "GET" });
  if (answer === 405) return ok(`${path}: a receiver at ${at} waits for it`);
  if (answer === undefined)
    return warning(
      `${path}: nothing answers at inbox.listen (${at})`,
      "Run `holdfast export --schedule` or `holdfast inbox`. If it runs in another container or machine, run doctor there.",
    );
  return warning(
    `${path}: what answers at inbox.listen (${at}) does not take it (${answer})`,
    "If Holdfast listens there, send it SIGHUP: it reads the config again. If something else does, choose another port.",
  );
}

async function agesOf(config: ClientConfig, source: WebhookSourceConfig, now: Temporal.Instant): Promise<Finding> {
  const ages = await Promise.all(source.webhook.secrets.map((secret) => ageOf(secret, now)));
  return ok(`${pathOf(config, source)}: signed with ${ages.join(", or ")}`);
}

async function ageOf(secret: SecretRef, now: Temporal.Instant): Promise<string> {
  const changed = secret.path === undefined ? undefined : await stat(secret.path).catch(() => undefined);
  if (changed === undefined) return `${secret} (age not known)`;
  const days = Math.max(0, Math.floor((now.epochMilliseconds - changed.mtimeMs) / 86_400_000));
  return `${secret} (its file is ${days === 0 ? "of today" : `${plural(days, "day")} old`})`;
}

function waitingOf(config: ClientConfig, source: WebhookSourceConfig, now: Temporal.Instant): Finding[] {
  const { count, oldest, last } = peekInbox(config.state, [source.name]).get(source.name)!;
  const path = pathOf(config, source);
  const events = `At the provider, subscribe this endpoint to ${EVENTS[source.kind]}.`;
  if (last === undefined) return [warning(`${path}: no verified webhook has come yet`, events)];
  const since = oldest === undefined ? 0 : now.since(Temporal.Instant.from(oldest)).total("hours");
  const waiting =
    since > LONG
      ? warning(
          `${path}: ${plural(count, "event")} waiting, the oldest since ${oldest}`,
          "Read the last run's log: `record failed` names who fails in every run.",
        )
      : ok(`${path}: last verified webhook ${last}, ${plural(count, "event")} waiting`);
  return [waiting, unknown(`${path}: whether the provider sends all events could not be checked. ${events}`)];
}
