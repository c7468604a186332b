import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import type { WebhookSourceConfig } from "../config/source-config.ts";
import type { Clock } from "../core/clock.ts";
import { GroupCommit } from "../inbox/group-commit.ts";
import { Inbox } from "../inbox/inbox.ts";
import { startReceiver } from "../inbox/receiver.ts";
import { pathOf, Route } from "../inbox/route.ts";
import { peekInbox } from "../inbox/waiting.ts";
import { ask } from "./ask-loopback.ts";
import { type Finding, failed, findings } from "./finding.ts";
import { signedEvent } from "./signed-event.ts";
import { nearestFolder } from "./state.ts";

const { ok, failure } = findings("webhooks");

/**
 * Sends signed events and a forged one to a receiver of its own on loopback. It writes them, flushed to the disk, to an
 * inbox of its own beside the real one, and removes that: the events name no one, so no export may see them.
 */
export async function tryWebhook(config: ClientConfig, source: WebhookSourceConfig, now: Clock): Promise<Finding> {
  const { place } = await nearestFolder(config.state);
  const folder = await mkdtemp(join(place, ".doctor-"));
  const inbox = new Inbox(folder);
  try {
    return await tryIn(folder, inbox, config, source, now);
  } finally {
    inbox.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryIn(
  folder: string,
  inbox: Inbox,
  config: ClientConfig,
  source: WebhookSourceConfig,
  now: Clock,
): Promise<Finding> {
  const { name, kind, webhook } = source;
  const route = new Route(config, source, new GroupCommit(inbox, now));
  const path = pathOf(config, source);
  const { keys } = await route.keys();
  let trouble: unknown;
  await using receiver = await startReceiver({
    host: "127.0.0.1",
    port: 0,
    routes: () => new Map([[path, route]]),
    now,
    onResult: () => {},
    onTrouble: (_, error) => {
      trouble ??= error;
    },
  });
  const at = { host: "127.0.0.1", port: receiver.port };
  const post = async (key: Uint8Array) =>
    (await ask(at, path, { method: "POST", ...signedEvent(kind, webhook.scheme, key, now()) })) ?? "nothing";
  for (const [index, key] of keys.entries()) {
    const answer = await post(key);
    if (trouble !== undefined) return failed("webhooks", trouble);
    if (answer !== 200)
      return failure(
        `${path}: a webhook signed with ${webhook.secrets[index]} was answered ${answer}, not 200`,
        "Run doctor again. If it says so again, report it: the secret is readable and fits.",
      );
  }
  const answer = await post(keys[0]!.map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
  if (answer !== 401)
    return failure(`${path}: a forged webhook was answered ${answer}, not 401`, "Report it: do not use this receiver.");
  inbox.close();
  const { count } = peekInbox(folder, [name]).get(name)!;
  if (count !== keys.length)
    return failure(
      `${path}: of ${keys.length} webhooks that were answered 200, ${count} are on the disk`,
      "Put `state` on a local disk.",
    );
  return ok(`${path}: a signed webhook was taken and is on the disk, and a forged one was refused`);
}
