import { registerHooks } from "node:module";

/**
 * `npm run soak`: every property with a thousand times its runs, or as many as a minute has room for. fast-check lets
 * no one multiply the runs that a test names, so its own code is altered as it is loaded.
 */
const TIMES = 1_000;
const LIMIT = 60_000;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/fast-check/lib/fast-check.js")) return loaded;
    const before = String(loaded.source);
    const source = before
      .replace("= readNumRuns(p);", `= readNumRuns(p) * ${TIMES};`)
      .replace("= safeTimeout(p.interruptAfterTimeLimit);", `= ${LIMIT};`);
    if (!source.includes(`* ${TIMES};`) || !source.includes(`= ${LIMIT};`)) throw new Error("fast-check has changed");
    return { ...loaded, source };
  },
});
