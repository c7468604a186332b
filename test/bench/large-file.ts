import { makeWorkplace } from "../export/workplace.ts";
import { holdfast, server } from "./process.ts";
import type { Report } from "./report.ts";

/** Peak memory of an export with one very large file. */
export async function largeFile(report: Report, bytes: number, rounds: number): Promise<void> {
  await using sandbox = await server(
    ...(["../sandbox/main.ts", "--identities", "1", "--plain-images", "--video-bytes", String(bytes)] as const),
  );
  for (let round = 0; round < rounds; round++) {
    await using place = await makeWorkplace({ url: sandbox.url, apiKey: "sandbox-secret" }, { vault: "ceph" });
    const { stdout, seconds, meter } = await holdfast("export", place.file);
    const [summary] = (JSON.parse(stdout) as { clients: { bytes: number }[] }).clients;
    if (!(summary!.bytes > bytes)) throw new Error("there was no such file");
    const group = `a file of ${bytes / 1e6} MB`;
    report.add(group, "export", "MB/s", bytes / 1e6 / seconds);
    report.add(group, "export, peak memory", "MB", meter.peak / 1e6);
  }
}
