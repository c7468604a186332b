import type { ClientConfig, WebhookSourceConfig } from "../config/config.ts";
import { webhookSources } from "../config/sources.ts";
import type { Clock } from "../core/clock.ts";
import { peekInbox } from "../inbox/inbox.ts";
import { RouteKeys } from "../inbox/keys.ts";
import { pathOf } from "../inbox/route.ts";
import type { ApiKind } from "../provider/provider.ts";
import { type Finding, failed, findings } from "./finding.ts";

const { ok, warning } = findings("webhooks");

/** What an endpoint must be subscribed to at each provider. */
const EVENTS: Readonly<Record<ApiKind, string>> = {
  passbase: "VERIFICATION_COMPLETED, VERIFICATION_REVIEWED and DATAPOINT_UPDATED, encrypted",
  persona: "inquiry.*, verification.*, document.*, report/*, account.* and case.*",
  stripe: 'identity.verification_session.*, with …redacted by name: "all events" leaves it out',
  onfido: "workflow_run.completed, workflow_task.completed and check.*",
  sumsub: "all applicant events, also applicantDeleted and applicantPersonalDataDeleted, and amlCase events",
  veriff: "decisions, events, watchlist screening and user-defined statuses, each with a URL of its own in the portal",
};

/** An event that has waited longer than this, in hours, is of someone who fails in every run. */
const LONG = 72;

/** Checks of each source with a webhook whether its secrets fit, and whether what came was read. */
export async function checkInbox(config: ClientConfig, now: Clock): Promise<Finding[]> {
  const sources = webhookSources(config);
  if (sources.length === 0) return [];
  const found: Finding[] = [];
  for (const source of sources) {
    try {
      await new RouteKeys(source.webhook.scheme, source.webhook.secrets, config.lookups.key).read();
      found.push(...waitingOf(config, source, now()));
    } catch (error) {
      found.push(failed("webhooks", error));
    }
  }
  return found;
}

function waitingOf(config: ClientConfig, source: WebhookSourceConfig, now: Temporal.Instant): Finding[] {
  const { count, oldest, last } = peekInbox(config.state, [source.name]).get(source.name)!;
  const path = pathOf(config, source);
  const events = `At the provider, subscribe this endpoint to ${EVENTS[source.kind]}.`;
  if (last === undefined) return [warning(`${path}: no verified webhook has come yet`, events)];
  const since = oldest === undefined ? 0 : now.since(Temporal.Instant.from(oldest)).total("hours");
  if (since > LONG)
    return [
      warning(
        `${path}: ${count} events wait, the oldest since ${oldest}`,
        "Read the last run's log: `record failed` names who fails in every run.",
      ),
    ];
  return [ok(`${path}: last verified webhook ${last}, ${count} events wait`), ok(`${path}: ${events}`)];
}
