import { mock } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import type { Console } from "../../src/observe/console.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import type { Session } from "../../src/session/client.ts";

/** A session from this time on, whose clock a test moves with mock timers. `lines` has what it logs. */
export function mockedSession(clients: readonly ClientConfig[], from: string): { session: Session; lines: string[] } {
  mock.timers.enable({ apis: ["Date", "setTimeout"], now: new Date(from) });
  const lines: string[] = [];
  const note = (message: string) => void lines.push(message);
  const log = { ...silentLog, info: note, warn: note, error: note };
  const console = { log, say: () => {}, progress: () => noProgress } as unknown as Console;
  const now = () => Temporal.Instant.fromEpochMilliseconds(Date.now());
  return { session: { clients, console, now, signal: new AbortController().signal }, lines };
}
