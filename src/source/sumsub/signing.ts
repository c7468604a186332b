import { createHmac } from "node:crypto";
import type { Authentication } from "../authentication.ts";

/**
 * Each request names the app token and the time, and is signed with the token's secret over time, method, address and
 * body. Sumsub accepts it for about a minute.
 */
export function signedBy(appToken: string): Authentication {
  return {
    kind: "signed",
    sign: (secret, { method, path, body, now }) => {
      const time = String(Math.floor(now.epochMilliseconds / 1000));
      const signature = createHmac("sha256", secret.reveal()).update(`${time}${method}${path}${body}`).digest("hex");
      return { "x-app-token": appToken, "x-app-access-ts": time, "x-app-access-sig": signature };
    },
  };
}
