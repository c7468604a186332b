import hooks from "node:async_hooks";

/**
 * Loaded before the test files of a whole run. Node's test runner follows every promise and every handle of a process, to
 * tell to which test an error belongs that no test caught: a fifth of the processor's time, and more the longer a process
 * runs. Here it follows the tests alone. Such an error still makes its process fail, and is told without its test's name;
 * to see that, run the file alone.
 */
const { createHook } = hooks;
hooks.createHook = ({ init, destroy: _, ...others }) =>
  createHook({
    ...others,
    init: (id, type, trigger, resource) => {
      if (type === "Test") init?.(id, type, trigger, resource);
    },
  });

// Else a test that waits for what failed would never end.
for (const name of ["uncaughtException", "unhandledRejection"] as const) {
  process.prependListener(name, (error) => {
    console.error("not caught by any test:", error);
    process.exit(1);
  });
}
