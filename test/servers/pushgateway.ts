import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, onPath } from "./ceph.ts";

/** For `test(name, { skip })`. In CI, test/setup.ts fails instead. */
export const withoutPushgateway: string | false = onPath("prometheus-pushgateway")
  ? false
  : "prometheus-pushgateway is not installed";

/** A real Pushgateway on loopback. */
export async function startPushgateway() {
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn("prometheus-pushgateway", [`--web.listen-address=${url.slice("http://".length)}`], {
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  while (
    !(await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error(`prometheus-pushgateway ended with ${child.exitCode}`);
    await delay(20);
  }
  return {
    url,
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
