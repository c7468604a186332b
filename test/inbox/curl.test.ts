import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { SECRETS } from "./signing.ts";
import { rowsOf, stage } from "./stage.ts";

const run = promisify(execFile);

/** The shell blocks of OPERATING.md that try a webhook by hand, as they are there. */
async function documented(): Promise<[timed: string, plain: string]> {
  const page = await readFile(join(import.meta.dirname, "../../docs/OPERATING.md"), "utf8");
  const all = Array.from(page.matchAll(/^ {3}```sh\n(.*?)^ {3}```$/gms), ([, text = ""]) => text);
  const [timed, plain] = all.filter((text) => text.includes("openssl dgst"));
  return [timed!, plain!];
}

test("a webhook set-up is tried by hand as OPERATING.md shows it: 200 for what is signed, 401 for what is forged", async () => {
  await using at = await stage({ clients: { acme: ["persona", "stripe", "onfido", "sumsub-sha256", "veriff"] } });
  const [timed, plain] = await documented();
  const tried = async (scheme: keyof typeof SECRETS, script: string): Promise<string[]> => {
    const url = `http://127.0.0.1:${at.port}/hooks/acme/${scheme}`;
    const own = script.replace(/^ *URL=.*$/m, `URL=${url} KEY='${SECRETS[scheme][0]}' BODY='{}'`);
    assert.notEqual(own, script);
    return (await run("bash", ["-c", own])).stdout.trim().split("\n");
  };
  const [first = ""] = timed.split("\n");
  const helper = timed.split("\n").find((line) => line.includes("try()"))!;
  for (const scheme of ["persona", "stripe"] as const)
    assert.deepEqual(await tried(scheme, timed.replaceAll("persona-signature", `${scheme}-signature`)), ["200", "401"]);
  for (const [scheme, header] of [
    ["onfido", "x-sha2-signature"],
    ["sumsub-sha256", "x-payload-digest"],
    ["veriff", "x-hmac-signature"],
  ] as const) {
    const script = `${first}\n${helper}\n${plain.replaceAll("x-hmac-signature", header)}`;
    assert.deepEqual(await tried(scheme, script), ["200"], scheme);
  }
  assert.deepEqual(rowsOf(at.client()), []);
  assert.equal(rowsOf(at.client(), "source").length, 5);
});
