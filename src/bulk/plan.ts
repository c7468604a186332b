import { bulkFrom, secondsFor, smallestJob } from "../retention/bulk-size.ts";
import { isAws } from "./aws.ts";
import { eachDue, type LookingAhead } from "./each-due.ts";
import { LockGroups } from "./groups.ts";

/** What extending the due locks takes, from what this machine knows: one by one, and in bulk. */
export interface ExtensionPlan {
  readonly client: string;
  readonly objects: number;
  readonly subjects: number;
  /** Requests that set a lock; one more asks for the lock first where governance becomes compliance. */
  readonly puts: number;
  readonly gets: number;
  /** At the configured rate. A store that answers slowly takes longer. */
  readonly seconds: number;
  /** In the currency of the given prices. Null without them. */
  readonly cost: number | null;
  /** Null for a vault in a directory. */
  readonly bulk: BulkPlan | null;
}

export interface BulkPlan {
  readonly advised: boolean;
  /** From how many due objects on it is advised: what takes an hour at the rate. */
  readonly from: number;
  /** Whether the store is AWS, which alone has S3 Batch Operations. */
  readonly available: boolean;
  readonly jobs: number;
  readonly objects: number;
  /** Objects that the nightly run extends all the same. */
  readonly left: number;
  readonly cost: number | null;
}

/** Of a thousand requests that write, a thousand others, a job, and a million objects in jobs. */
export interface Prices {
  readonly put: number;
  readonly get: number;
  readonly job: number;
  readonly task: number;
}

export async function planExtension(
  client: string,
  looking: LookingAhead,
  prices: Prices | undefined,
): Promise<ExtensionPlan> {
  const { vault } = looking.config;
  const groups = new LockGroups();
  const count = { objects: 0, subjects: 0, gets: 0 };
  for await (const { due } of eachDue(looking)) {
    count.subjects += 1;
    for (const each of due) {
      count.objects += 1;
      if (each.harden) count.gets += 1;
      groups.add(each);
    }
  }
  const { objects, subjects, gets } = count;
  const requests = (puts: number, gets: number): number =>
    prices ? (puts * prices.put + gets * prices.get) / 1_000 : 0;
  const jobs = groups.of(smallestJob(vault.lockRate));
  const inJobs = jobs.reduce((sum, group) => sum + group.objects, 0);
  const from = bulkFrom(vault.lockRate);
  return {
    ...{ client, objects, subjects, puts: objects, gets },
    seconds: secondsFor(objects, vault.lockRate),
    cost: prices ? requests(objects, gets) : null,
    bulk:
      vault.kind !== "s3"
        ? null
        : {
            ...{ advised: isAws(vault) && objects >= from && inJobs > 0, from, available: isAws(vault) },
            ...{ jobs: jobs.length, objects: inJobs, left: objects - inJobs },
            cost: prices
              ? requests(objects, gets) + jobs.length * prices.job + (inJobs * prices.task) / 1_000_000
              : null,
          },
  };
}
