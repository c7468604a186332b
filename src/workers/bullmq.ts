/**
 * BullMQ without the native addon that its serialiser loads if it finds one: Holdfast also runs where Node's
 * permissions forbid addons.
 */
import type { Job as BullJob } from "bullmq";

process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED = "true";
export const { Job, Queue, Worker, WaitingError } = await import("bullmq");
/** Data and return value are closed boxes (src/seal/secretbox.ts). */
export type IdentityJob = BullJob<string, string>;
