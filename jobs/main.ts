#!/usr/bin/env -S node --max-semi-space-size=4
import { setFlagsFromString } from "node:v8";
import { CommanderError } from "commander";
import { withHelpLast } from "../src/cli/help.ts";
import { keepMemoryOutOfDumps } from "../src/core/no-core-dump.ts";
import { programFor } from "./program.ts";

keepMemoryOutOfDumps();

// By default V8 lets old garbage grow to several times the live memory: an export of 20,000 identities peaked 100 MB
// above one of 1,000, with the same live data. At 100 the difference is 29 MB; 30 does not reduce it further, and an
// export of files then takes a quarter more CPU.
setFlagsFromString("--heap-growing-percent=100");
// --max-semi-space-size (above, in package.json, the Dockerfile and the systemd units) cannot be set from here. It frees
// the memory of streamed files sooner: a file of 500 MB peaks at 242 MB instead of 266 MB with 8, for 4 % more CPU in an
// export.

// Only this user may read state, keys and opened records.
process.umask(0o077);

// Ignore errors on stderr: a full disk under a log must not end an export.
process.stderr.on("error", () => {});
// A closed pipe (`| head`) is fine. Any other error means that the result is lost.
let isResultLost = false;
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE" || isResultLost) return;
  isResultLost = true;
  process.stderr.write(`cannot write the result to stdout (${code}); the work itself was done\n`);
});
process.on("exit", (code) => {
  if (isResultLost && code === 0) process.exitCode = 1;
});

try {
  const argv = withHelpLast(process.argv);
  await (await programFor(argv[2] ?? "")).parseAsync(argv);
} catch (error) {
  // Commander has already printed the error or the help.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
