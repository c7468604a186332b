import { type Conforms, type Place, register } from "../conform.ts";
import { APIS } from "../providers.ts";
import type { HttpProvider, HttpStage } from "./stage.ts";
import { Traffic } from "./traffic.ts";

export { ATTEMPTS, RETRY } from "../conform.ts";

/** What a test of a source over HTTP gets too: everything that goes to the sandbox and back. */
export interface HttpPlace extends Place<HttpStage> {
  readonly traffic: Traffic;
}

/** Registers tests of what HTTP adds to the port, for each provider with an API. */
export function httpConformance(
  tests: (conforms: Conforms<HttpPlace>, provider: HttpProvider) => void,
  concurrency = 4,
): void {
  for (const provider of Object.values(APIS)) {
    const start: typeof provider.start = provider.start.bind(provider);
    const watched = {
      ...provider,
      start: async (options: Parameters<typeof start>[0]) => {
        const stage = await start(options);
        const traffic = new Traffic(stage);
        return { ...stage, traffic, objections: () => [...traffic.wrong, ...stage.leaks()] };
      },
    };
    register(watched, concurrency, (conforms) => {
      tests((name, ...rest) => {
        const [options, run] = rest.length === 2 ? rest : [{}, ...rest];
        conforms(name, options, (place) => run({ ...place, traffic: place.stage.traffic }));
      }, provider);
    });
  }
}
