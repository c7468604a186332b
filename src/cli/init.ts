import { HANDED_OVER, init } from "../../jobs/init.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

export const initCommand = command(
  "init",
  "make the lookup key and the log key, check the vault, write vault.json and an empty log; safe to repeat",
  ["holdfast init", "holdfast init --client acme-bank --config /etc/holdfast.yaml"],
)
  .addHelpText(
    "after",
    `
Before: make the age keys on machines of their holders (age-keygen), write the config, and make the bucket with Object
Lock. Afterwards: give the log's public key to the auditor, back up the two key files apart from this machine, and run
doctor. Where log.previousKey is set, the log is handed over to the new key.`,
  )
  .action((options: CommonOptions) =>
    run(options, async (session) => {
      await tellClients(session, "init", async (onFailure) => {
        const done = await init(session, onFailure);
        for (const { client, vault, vkey, made, store } of done) {
          session.console.say([
            `${client}: ${vault} is ready${made.length > 0 ? ` (made: ${made.join(", ")})` : " (it was before)"}`,
            `  log key   ${vkey}`,
            "            give this line to your auditor: with it anybody can check the log",
            `  store     create-only writes ${store.ifNoneMatch ? "honoured" : "not honoured"}, compare-and-swap ${store.ifMatch ? "honoured" : "not honoured"}`,
            ...(made.includes(HANDED_OVER)
              ? [
                  "            this is a NEW key: give it to your auditor again, then take previousKey out of the config",
                ]
              : []),
            "  keep      the lookup key and the log's private key: back them up apart from this machine",
          ]);
        }
        return done;
      });
    }),
  );
