import type { ClientConfig } from "../src/config/config.ts";
import { bytes, money, number } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { ownCatalogOf } from "../src/session/own-catalog-of.ts";
import { lockPlace } from "../src/session/verify-client.ts";
import { readLocksLookedAt } from "../src/state/locks-looked-at.ts";
import { planVerify, type VerifyPlan } from "../src/verify/plan.ts";

export interface PlannedVerify {
  readonly readData: number;
  readonly allLocks?: boolean;
  readonly inventory?: string;
  /** Prices of 1,000 listings, and of 1,000 other requests. */
  readonly listPrice?: number;
  readonly getPrice?: number;
}

/** Estimates what `verify` will ask of each client's store, from this machine's state. Sends no request. */
export async function planVerification(
  session: Session,
  { readData, allLocks = false, inventory, listPrice, getPrice }: PlannedVerify,
  onFailure?: (failure: ClientFailure) => void,
): Promise<VerifyPlan[]> {
  const planOne = async (config: ClientConfig): Promise<VerifyPlan> => {
    using catalog = ownCatalogOf(config);
    const last = allLocks ? undefined : readLocksLookedAt(config.state, lockPlace(config));
    const plan = planVerify({
      client: config.id,
      catalog: catalog.of,
      now: session.now(),
      last,
      readData,
      hasInventory: inventory !== undefined,
      prices:
        listPrice === undefined && getPrice === undefined ? undefined : { list: listPrice ?? 0, get: getPrice ?? 0 },
    });
    session.console.say(planText(plan, config.vault.kind));
    return plan;
  };
  return eachClient(session, planOne, onFailure);
}

function planText(of: VerifyPlan, kind: ClientConfig["vault"]["kind"]): string[] {
  if (kind !== "s3") return [`${of.client}: a vault in a directory, no requests; ${number(of.objects)} objects`];
  const rows = [
    ["objects", `${number(of.objects)}, ${bytes(of.bytes)}, by this machine's catalog`],
    ["LIST", `about ${number(of.lists)}`],
    ["HEAD", `about ${number(of.heads)}, and one for each object whose lock was extended since the last run`],
    [
      "GET",
      `about ${number(of.gets)}, and one for each checkpoint and time stamp${of.readBytes > 0 ? `; ${bytes(of.readBytes)} of content` : ""}`,
    ],
    ...(of.cost === null ? [] : [["cost", `${money(of.cost)} at the given prices, without transfer`]]),
  ];
  return [
    `${of.client}: what verify will ask of the store`,
    ...rows.map(([name, value]) => `  ${name!.padEnd(9)}${value}`),
  ];
}
