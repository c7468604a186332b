import type { ScheduleConfig } from "../../src/config/config.ts";
import { SecretRef } from "../../src/config/secret.ts";
import type { SourceConfig } from "../../src/config/source-config.ts";

/** A source that is never opened. */
export function sourceOf(name: string, schedule?: ScheduleConfig): SourceConfig {
  return {
    ...{ name, kind: "passbase", url: "http://127.0.0.1:9", apiKey: SecretRef.parse("env:KEY", "/"), concurrency: 1 },
    ...{ rate: { count: 1, per: 1 }, resync: Temporal.Duration.from("P30D"), retired: false, schedule },
  };
}
