#!/usr/bin/env -S node --max-semi-space-size=4
import { setFlagsFromString } from "node:v8";
import { CommanderError } from "commander";
import { keepMemoryOutOfDumps } from "../src/core/no-core-dump.ts";
import { programFor } from "./program.ts";

keepMemoryOutOfDumps();

// Left to itself V8 collects old garbage only when it is several times what is in use: an export of 20,000 identities
// peaked 100 MB above one of 1,000, with no more to hold. At 100 it is 29 MB; at 30 it is no less, and an export of files
// takes a quarter more of the processor.
setFlagsFromString("--heap-growing-percent=100");
// The option above, in package.json, the Dockerfile and the systemd units too, is of the same kind, and cannot be set from
// here: what a file leaves behind on its way through is let go of sooner. A file of 500 MB peaks at 242 MB instead of 266
// with 8, for 4 % of the processor's time in an export.

// State, keys and what is opened are this user's alone.
process.umask(0o077);

// What cannot be said on stderr is not said: a full disk under a log must not end an export.
process.stderr.on("error", () => {});
// Whoever reads the result may have seen enough (`| head`). Anything else means that it is lost.
let isResultLost = false;
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE" || isResultLost) return;
  isResultLost = true;
  process.stderr.write(`the result cannot be written to stdout (${code}); the work itself was done\n`);
});
process.on("exit", (code) => {
  if (isResultLost && code === 0) process.exitCode = 1;
});

try {
  await (await programFor(process.argv[2] ?? "")).parseAsync();
} catch (error) {
  // Commander has said what is wrong, or has shown the help that was asked for.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
