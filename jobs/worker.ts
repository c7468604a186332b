import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import { HoldfastError } from "../src/core/error.ts";
import { redisAddress } from "../src/workers/address.ts";

export const workerCommand = withSource(
  command("worker", "fetch, seal and store records for a backfill on another machine, until it ends", [
    "holdfast worker --redis redis://queue:6379",
    "holdfast worker --redis env:REDIS_URL --client acme-bank     if the address contains a password",
  ]),
)
  .requiredOption("--redis <address>", "the Redis that `backfill --workers` uses")
  .addHelpText(
    "after",
    "\nIt needs the same config as the backfill, but no log key: only the coordinator writes the log.",
  )
  .action((options: CommonOptions & { redis: string }) =>
    run(options, async (session) => {
      const { workForClients } = await import("../src/session/worker.ts");
      const address = await redisAddress(options.redis, process.cwd());
      await tellClients(session, "worker", (onFailure) => workForClients(session, address, onFailure), {
        refuse() {
          // Not a success: the supervisor must restart the worker.
          if (session.signal.aborted)
            throw new HoldfastError("interrupted", "stopped after finishing the current work");
        },
      });
    }),
  );
