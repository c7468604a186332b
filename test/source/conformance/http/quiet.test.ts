import assert from "node:assert/strict";
import { makePerson } from "../../../sandbox/person.ts";
import { changed, collect, everyFile, full, walk, withFiles } from "../reading.ts";
import { askedOf, calling } from "./calling.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/**
 * What must stay inside: the key, tokens, and everything about people. Each test of the suite looks at its own errors;
 * these provoke the worst ones.
 */
httpConformance((conforms, { can, filesElsewhere }) => {
  const asked = askedOf(can);

  for (const where of asked) {
    conforms(`shows nothing of answers about the ${where} that repeat the key and a person's data`, async (place) => {
      const { stage, source, traffic, refuses } = place;
      const index = await withFiles(stage);
      const call = calling(source, stage, index)[where];
      const { email, documents } = makePerson(1, index);
      const secret = `${stage.secrets().join(" ")} ${email} ${documents[0]!.number} ${stage.id(index)}`;
      for (const fault of [
        (response) => response.writeHead(500, secret, { "x-error": secret }).end(secret),
        (response) => response.writeHead(429, { "Retry-After": secret, "RateLimit-Limit": secret }).end(secret),
        (response) => response.writeHead(400, secret).end(JSON.stringify({ errors: [{ title: secret }] })),
        (response) => response.writeHead(302, { Location: `http://127.0.0.1:1/${encodeURI(secret)}` }).end(),
        (response) => response.socket!.end(`HTTP/1.1 ${secret}\r\n\r\n${secret}`),
        (response) => response.socket!.end(`HTTP/1.1 200 OK\r\nBad Header ${secret}\r\n\r\n`),
        (response) => response.socket!.end(`${secret}\r\n\r\n`),
      ] as the.Fault[]) {
        traffic.clear();
        traffic.strike(where, fault);
        await refuses(call, "source-unavailable", "source-rejected", "source-response", "source-denied");
      }
      if (where === "file") return;
      for (const body of [
        secret,
        `{"${secret}":`,
        JSON.stringify(secret),
        JSON.stringify({ [secret]: secret, data: { id: secret, [secret]: [secret] } }),
        JSON.stringify({ id: 5, data: secret, links: { next: secret }, cursor: secret, environment: secret }),
      ]) {
        traffic.clear();
        traffic.strike(where, the.answers(body));
        if (where === "project") await call().catch(() => refuses(call, "source-response"));
        else await refuses(call, "source-response");
      }
    });

    conforms(`follows no redirect of the ${where}`, async ({ stage, source, traffic, refuses }) => {
      await using elsewhere = await the.startElsewhere();
      const call = calling(source, stage, await withFiles(stage))[where];
      for (const code of [301, 302, 303, 307, 308]) {
        traffic.clear();
        traffic.strike(where, the.redirect(`${elsewhere.url}/x`, code));
        await refuses(call, "source-rejected", "source-denied", "source-response");
      }
      assert.deepEqual(elsewhere.met, [], "a request went to another host");
    });
  }

  conforms("sends its key to the API, and to no other host", { people: 12 }, async ({ stage, source, traffic }) => {
    await source.project();
    if (can.list) await walk(source);
    if (can.changes) await changed(source, stage.now());
    await everyFile(source, stage, 12);
    for (const { path } of traffic.seen)
      for (const secret of stage.secrets().slice(0, 1)) assert.ok(!path.includes(secret), "the key is in a URL");
    assert.deepEqual(stage.leaks(), [], "the key went to a host that must not see it");
  });

  conforms("changes nothing at the provider", { people: 12 }, async ({ stage, source, traffic }) => {
    if (can.list) await walk(source);
    if (can.changes) await changed(source, stage.now());
    await everyFile(source, stage, 12);
    assert.deepEqual(
      traffic.seen.filter(({ asked: what }) => what === "other").map(({ path }) => path),
      [],
      "a request that the suite does not know",
    );
  });

  if (!filesElsewhere) return;
  for (const origin of [
    "http://169.254.169.254",
    "https://169.254.169.254",
    "https://[fe80::1]",
    "http://files.example",
    "https://intranet",
    "https://name:word@files.example",
    "ftp://files.example",
    "file://",
  ]) {
    conforms(`asks nothing of ${origin}, whatever an answer says`, async ({ stage, source, traffic, refuses }) => {
      const id = stage.id(await withFiles(stage));
      const elsewhere = (text: string) => text.replaceAll(stage.filesOrigin!, origin);
      traffic.rewrite("identity", elsewhere);
      traffic.rewrite("part", elsewhere);
      const { files } = await full(source, id);
      for (const file of files) {
        // Not source-unavailable, which would say that it tried.
        await refuses(async () => collect(await source.file(id, file)), "source-response", "source-missing");
      }
    });
  }
});
