import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { CLIENT, makeWorkplace } from "../export/workplace.ts";
import { first } from "../sandbox/veriff/ask.ts";
import { startVeriff } from "../sandbox/veriff/server.ts";
import { withoutCeph } from "../servers/s3.ts";
import { statusOf } from "../source/veriff/connect.ts";
import { eventOf, sign } from "./signing.ts";
import { send } from "./stage.ts";

const DAY = 86_400_000;
const SECRET = "hook-secret-of-veriff";

test("a life without a list: a webhook names someone, an event is lost and found in turn, and the state is lost", {
  skip: withoutCeph,
}, async () => {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  await using veriff = await startVeriff({ identities: 40, plainImages: true, clock });
  const { integrationKey } = veriff;
  const source = { kind: "veriff", integrationKey, resync: "P10D", rate: "10000/s" };
  await using place = await makeWorkplace(veriff, {
    vault: "ceph",
    client: {
      source: { ...source, webhook: { secrets: ["file:./keys/hook"] } },
      lookups: { fields: ["metadata.vendorData"] },
    },
  });
  await writeFile(place.path("keys/hook"), SECRET, { mode: 0o600 });
  Object.assign(place.config, { inbox: { listen: "127.0.0.1:0" } });
  await place.configure();
  const now = () => Temporal.Instant.fromEpochMilliseconds(clock());
  const night = async (): Promise<Summary> => {
    const ended = await place.here("export", ["--json"], { now });
    assert.equal(ended.code, 0, ended.stderr);
    return (ended.json as { clients: Summary[] }).clients[0]!;
  };
  const stored = async () => [...(await place.stored()).values()].map(({ length }) => length).toSorted();

  // Who has ended is asked about by no night on its own.
  const told = first(veriff, (at) => statusOf(veriff, at) === "approved");
  const changed = first(veriff, (at) => statusOf(veriff, at) === "declined");
  const receiver = place.start("inbox", []);
  try {
    const { msg } = await receiver.logged(({ msg }) => /^webhooks at /.test(String(msg)));
    const port = Number(/:(\d+)$/.exec(String(msg))![1]);
    const deliver = async (index: number, secret = SECRET): Promise<number> => {
      const event = sign("veriff", secret, eventOf("veriff", veriff.id(index), `attempt-${index}`), 0);
      return (await send(port, `/hooks/${CLIENT}/veriff`, event)).status;
    };

    assert.equal((await night()).new, 0, "someone is known without a webhook");
    assert.deepEqual([await deliver(told), await deliver(changed), await deliver(told)], [200, 200, 200]);
    const begun = await night();
    assert.deepEqual([begun.askedByInbox, begun.new, begun.failed], [2, 2, 0]);
    assert.deepEqual(await stored(), [1, 1]);

    veriff.change([changed], { part: "watchlist" });
    assert.equal(await deliver(changed, "another-secret"), 401);
    const quiet = await night();
    assert.deepEqual([quiet.changed, quiet.askedByInbox, quiet.askedInTurn], [0, 0, 0]);
  } finally {
    receiver.kill("SIGTERM");
    await receiver.ended;
  }

  ahead += 11 * DAY;
  const later = await night();
  assert.deepEqual([later.askedInTurn, later.changed, later.failed], [2, 1, 0]);
  assert.deepEqual(await stored(), [1, 2]);

  // The log alone says whom there is to ask about.
  await rm(place.path("state", CLIENT), { recursive: true });
  veriff.change([told], { part: "userStatus" });
  ahead += 11 * DAY;
  const again = await night();
  assert.deepEqual([again.askedInTurn, again.new, again.changed, again.failed], [2, 0, 1, 0]);
  assert.deepEqual(await stored(), [2, 2]);
  const verified = await place.here("verify", [], { now });
  assert.equal(verified.code, 0, verified.stderr);
});
