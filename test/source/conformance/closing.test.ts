import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { conformance } from "./conform.ts";
import { collect, full, walk, withFiles } from "./reading.ts";

/** What a source takes from this machine, and that it gives it back. */
conformance((conforms, { can }) => {
  conforms("leaves no connection, no file and no timer open, and may be closed twice", async ({ stage, open }) => {
    const before = held();
    const source = open();
    await source.project();
    if (can.list) for await (const _ of source.pages()) break;
    const id = stage.id(await withFiles(stage));
    const { files } = await full(source, id);
    const bytes = (await source.file(id, files[0]!)).bytes[Symbol.asyncIterator]();
    await bytes.next();
    await bytes.return?.();
    await source.close();
    await source.close();
    for (let turn = 0; turn < 2_000 && held() > before; turn++) await setImmediate();
    assert.ok(held() <= before, `${held() - before} more than before: ${process.getActiveResourcesInfo().join(" ")}`);
  });

  conforms("gives nothing once it is closed", async ({ stage, open }) => {
    const source = open();
    const id = stage.id(await withFiles(stage));
    const { files } = await full(source, id);
    await source.close();
    await assert.rejects(source.project(), "the project");
    await assert.rejects(full(source, id), "a dossier");
    await assert.rejects(async () => collect(await source.file(id, files[0]!)), "a file");
    if (can.list) await assert.rejects(walk(source), "the list");
  });
  // One at a time: the resources of this process are counted.
}, 1);

/** Open files and sockets, and what is waited for. */
function held(): number {
  const resources = process.getActiveResourcesInfo();
  const waiting = resources.filter((name) => /^(TCPSocketWrap|TCPWRAP|Timeout|GetAddrInfoReqWrap)$/.test(name));
  return waiting.length + readdirSync("/dev/fd").length;
}
