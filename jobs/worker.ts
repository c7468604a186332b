import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { HoldfastError } from "../src/core/error.ts";
import { redisAddress } from "../src/workers/address.ts";

export const workerCommand = command(
  "worker",
  "fetch, seal and store for a backfill that runs elsewhere, until it has ended",
  [
    "holdfast worker --redis redis://queue:6379",
    "holdfast worker --redis env:REDIS_URL --client acme-bank     when the address holds a password",
  ],
)
  .requiredOption("--redis <address>", "where `backfill --workers` meets its workers")
  .addHelpText(
    "after",
    "\nIt needs the same config, without the log key: it holds none, and only the coordinator writes the log.",
  )
  .action((options: CommonOptions & { redis: string }) =>
    run(options, async (session) => {
      const { workForClients } = await import("../src/session/worker.ts");
      const address = await redisAddress(options.redis, process.cwd());
      await tellClients(session, "worker", (onFailure) => workForClients(session, address, onFailure), {
        refuse() {
          // Not an end: whoever looks after workers starts another.
          if (session.signal.aborted) throw new HoldfastError("interrupted", "stopped; what was under way is done");
        },
      });
    }),
  );
