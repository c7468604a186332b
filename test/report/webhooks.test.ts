import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { inboxFile } from "../../src/inbox/database.ts";
import { Inbox } from "../../src/inbox/inbox.ts";
import type { Report } from "../../src/report/report.ts";
import { handlesOf } from "../../src/session/client.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

const ROW = "Named by webhooks, and not asked about yet";

test("the report shows whom webhooks named and no run has asked about, and since when", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const page = async (...args: string[]) => {
    const out = place.path("report.html");
    const { json, stderr, code } = await place.here("report", ["--out", out, "--offline", "--json", ...args]);
    assert.equal(code, 0, stderr);
    const [report] = (json as { clients: Report[] }).clients;
    return { html: await readFile(out, "utf8"), webhooks: report!.webhooks };
  };
  assert.ok(!(await page()).html.includes(ROW), "no webhooks are received");

  await writeFile(place.path("keys", "hook"), "a-secret-of-webhooks-0123456789abcdef", { mode: 0o600 });
  await place.configure({ source: { webhook: { secrets: ["file:./keys/hook"] } } });
  const none = await page();
  assert.match(none.html, new RegExp(`<td>${ROW}</td><td class="number ">0<`));
  assert.doesNotMatch(none.html, /named by webhooks of the source/);

  const config = await place.client();
  const handles = await handlesOf(config);
  const inbox = new Inbox(config.state);
  const ids = sandbox.ids().slice(0, 2);
  for (const [at, id] of [...ids, ids[0]!].entries()) {
    const subject = await place.subject(id);
    const key = createHash("sha256").update(`${at}`).digest();
    const named = [{ subject, handle: handles.close(subject, "passbase", id) }];
    const arrival = { source: config.sources[0]!.name, key, kind: "changed", isErasure: false, named };
    inbox.append([arrival], Temporal.Now.instant().subtract({ hours: 24 * 5 }));
  }
  inbox.close();
  const waiting = await page();
  assert.deepEqual(
    waiting.webhooks!.map(({ people }) => people),
    [2],
  );
  assert.match(waiting.html, new RegExp(`<td>${ROW}</td><td class="number ">2<`));
  assert.match(waiting.html, /2 verifications named by webhooks of the source passbase and not exported since/);
  for (const id of ids) assert.ok(!waiting.html.includes(id));

  for (const side of ["", "-wal", "-shm"])
    await writeFile(`${inboxFile(config.state)}${side}`, "no database ".repeat(999));
  const unread = await page();
  assert.equal(unread.webhooks, null);
  assert.match(unread.html, /Could not read whom webhooks named/);
  assert.match(unread.html, new RegExp(`<td>${ROW}</td><td class="number ">not known<`));
});
