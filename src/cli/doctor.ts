import { diagnosisText, doctor } from "../../jobs/doctor.ts";
import { redisAddress } from "../workers/address.ts";
import { type CommonOptions, command, run } from "./command.ts";

export const doctorCommand = command(
  "doctor",
  "check everything a run needs, and say how to mend what is wrong; changes nothing",
  [
    "holdfast doctor",
    "holdfast doctor --client acme-bank --redis env:REDIS_URL    also where the workers of a backfill meet",
    "holdfast doctor --json | jq '.clients[].findings[] | select(.level != \"ok\")'",
  ],
)
  .option("--redis <address>", "look at this Redis too: redis://host:6379, or env:NAME, file:path")
  .addHelpText(
    "after",
    `
Exit code: 0 all is well, or there are warnings only; 1 there is a failure; 2 the config cannot be used.

In an S3 vault it stores one object of 47 bytes, doctor-probe, under a governance lock of one minute, to see what the
store does with locks and what these credentials may do. Requests that must be refused stand in the store's access log.`,
  )
  .action((options: CommonOptions & { redis?: string }) =>
    run(options, async (session, { file }) => {
      const redis = options.redis === undefined ? undefined : await redisAddress(options.redis, process.cwd());
      const diagnosis = await doctor(session, file, redis);
      session.console.result({ command: "doctor", ...diagnosis }, diagnosisText(diagnosis));
      if (diagnosis.failures > 0) process.exitCode = 1;
    }),
  );
