import { type BulkPlan, type ExtensionPlan, type Prices, planExtension } from "../src/bulk/plan.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { Rate } from "../src/config/rate.ts";
import { money, number, plural, seconds, verifications } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { ownCatalogOf } from "../src/session/own-catalog-of.ts";

export interface PlannedExtension {
  readonly ahead?: Temporal.Duration;
  readonly putPrice?: number;
  readonly getPrice?: number;
  readonly jobPrice?: number;
  readonly taskPrice?: number;
}

/** Says what extending each client's due locks takes, from this machine's catalog. Sends no request. */
export async function planExtensions(
  session: Session,
  { ahead, ...prices }: PlannedExtension,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ExtensionPlan[]> {
  const { console, now, signal } = session;
  const planOne = async (config: ClientConfig): Promise<ExtensionPlan> => {
    using catalog = ownCatalogOf(config);
    using progress = console.progress(`${config.id}: people with due locks`);
    const looking = { config, catalog: catalog.of, at: now(), ahead, signal, onSubject: progress.update };
    const plan = await planExtension(config.id, looking, pricesOf(prices));
    progress.end();
    console.say(planText(plan, config.vault));
    return plan;
  };
  return eachClient(session, planOne, onFailure);
}

function pricesOf({ putPrice, getPrice, jobPrice, taskPrice }: Omit<PlannedExtension, "ahead">): Prices | undefined {
  if ([putPrice, getPrice, jobPrice, taskPrice].every((price) => price === undefined)) return undefined;
  return { put: putPrice ?? 0, get: getPrice ?? 0, job: jobPrice ?? 0, task: taskPrice ?? 0 };
}

function planText(plan: ExtensionPlan, { kind, lockRate }: ClientConfig["vault"]): string[] {
  const { client, objects, subjects, puts, gets, cost, bulk } = plan;
  if (objects === 0) return [`${client}: no lock is due, by this machine's catalog`];
  const rows = [
    ["due", `${plural(objects, "object")} of ${verifications(subjects)}, by this machine's catalog`],
    ...(kind === "s3"
      ? [["PUT", `${number(puts)}${gets > 0 ? `, and ${number(gets)} GET before locks are hardened` : ""}`]]
      : []),
    ["time", `at least ${seconds(plan.seconds)} at vault.lockRate, ${rateText(lockRate)}`],
    ...(cost === null ? [] : [["cost", priceText(cost)]]),
    ...(bulk === null ? [] : [["in bulk", bulkText(bulk)]]),
  ];
  return [
    kind === "s3"
      ? `${client}: what retention extend will ask of the store`
      : `${client}: a vault in a directory, no requests`,
    ...rows.map(([name, value]) => `  ${name!.padEnd(9)}${value}`),
  ];
}

function bulkText({ advised, available, from, jobs, objects, left, cost }: BulkPlan): string {
  if (!available)
    return "not possible: only AWS has S3 Batch Operations. Raise vault.lockRate if the store can take more";
  if (jobs === 0) return `not worth a job; advised from ${plural(from, "object")} on`;
  const what = `${plural(jobs, "job")} of S3 Batch Operations for ${plural(objects, "object")}`;
  const rest = left > 0 ? `; the nightly run extends the other ${number(left)}` : "";
  const price = cost === null ? "" : `; cost ${priceText(cost)}`;
  const advice = advised ? "advised" : `advised from ${plural(from, "object")} on`;
  return `${advice}: ${what}${rest}${price}. Run \`holdfast retention extend --manifest <folder>\``;
}

const priceText = (cost: number): string => `${money(cost)} at the given prices`;

export function rateText({ count, per }: Rate): string {
  return `${number(count)} per ${per === 1_000 ? "second" : per === 60_000 ? "minute" : "hour"}`;
}
