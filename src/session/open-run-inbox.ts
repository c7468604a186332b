import type { ClientConfig } from "../config/config.ts";
import type { SourceConfig } from "../config/source-config.ts";
import type { Exporting } from "../export/context.ts";
import { Inbox } from "../inbox/inbox.ts";
import { RunInbox, UNOPENED_HINT } from "../inbox/run-inbox.ts";
import { errorFields, type Log } from "../observe/log.ts";
import type { Handles } from "../record/handles.ts";

/**
 * What the webhooks of a source named, or why that cannot be read: the run still finds everyone whom the source itself names.
 * @param untriedAfter see `RunInbox`
 */
export function openRunInbox(
  { id, state }: ClientConfig,
  source: Pick<SourceConfig, "name" | "kind">,
  handles: Handles,
  now: Temporal.Instant,
  log: Log,
  untriedAfter?: number,
): Pick<Exporting, "inbox" | "inboxError"> {
  const of = { client: id, source: source.name };
  let isTold = false;
  const onTrouble = (error: unknown): void => {
    if (!isTold)
      log.warn("cannot note what is settled in the inbox: the next run asks again", { ...of, ...errorFields(error) });
    isTold = true;
  };
  const inbox = new Inbox(state);
  try {
    const opened = new RunInbox(inbox, source, handles, now, onTrouble, untriedAfter);
    if (opened.unopened.count > 0) log.warn(UNOPENED, { ...of, ...opened.unopened, hint: UNOPENED_HINT });
    if (opened.dropped > 0)
      log.warn("events that no run could read were removed from the inbox", {
        ...of,
        count: opened.dropped,
        hint: "Ask the provider to send its webhooks of that time again, or name the ids with `backfill --ids`.",
      });
    return { inbox: opened };
  } catch (error) {
    inbox.close();
    log.error("cannot read the inbox: this run asks about no one named by a webhook", {
      ...of,
      ...errorFields(error),
    });
    return { inboxError: error };
  }
}

const UNOPENED = "the inbox has events whose closed ids do not open: this run cannot ask about these people";
