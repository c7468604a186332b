import { ServerResponse } from "node:http";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { loadConfig } from "../../src/config/load.ts";
import { startReceiver } from "../../src/inbox/receiver.ts";
import { Routes } from "../../src/inbox/routes.ts";

/**
 * A receiver in a process of its own, which kills itself at moment n: `node child.ts <config> <n>`. There is a moment before
 * and after each thing that it does to the file, and before and after each answer. Writes its port, then each moment.
 */
const [, , file = "", at = "0"] = process.argv;
let count = 0;
const moment = (): void => {
  count += 1;
  if (count === Number(at)) process.kill(process.pid, "SIGKILL");
};

function around<T extends object>(owner: T, name: keyof T & string): void {
  const original = owner[name] as (...args: unknown[]) => unknown;
  (owner as Record<string, unknown>)[name] = function (this: unknown, ...args: unknown[]) {
    moment();
    const result = original.apply(this, args);
    moment();
    return result;
  };
}

around(DatabaseSync.prototype, "exec");
around(StatementSync.prototype, "run");
around(ServerResponse.prototype, "end");

const { clients } = await loadConfig(file);
const routes = new Routes(Temporal.Now.instant);
routes.replace(clients);
const { port } = await startReceiver({
  ...{ host: "127.0.0.1", port: 0, routes: () => routes.byPath, now: Temporal.Now.instant },
  ...{ onResult: () => {}, onTrouble: () => {} },
});
console.log(`port ${port}`);
process.on("SIGTERM", () => {
  console.log(`moments ${count}`);
  process.exit();
});
