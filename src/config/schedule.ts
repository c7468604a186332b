import { validate } from "node-cron";
import { HoldfastError } from "../core/error.ts";
import { redacted } from "../core/redacted.ts";

/** @throws HoldfastError "config" for what node-cron rejects, including dates that never occur. */
export function parseCron(text: string): string {
  if (text.trim() !== "" && validate(text)) return text;
  throw new HoldfastError("config", `${redacted(text)} is not a cron expression`, {
    hint: 'write minute, hour, day, month and weekday: "30 2 * * *" is every night at 02:30',
  });
}

/** @throws HoldfastError "config" unless it is an IANA name: a fixed offset would not follow summer time. */
export function parseTimeZone(text: string): string {
  try {
    if (/^[A-Za-z]/.test(text)) return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new HoldfastError("config", `${redacted(text)} is not a time zone`, {
    hint: "write an IANA name, such as Europe/Berlin or UTC",
  });
}
