import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import type { ClientConfig, InboxConfig } from "../src/config/config.ts";
import type { ActiveSourceConfig } from "../src/config/source-config.ts";
import { hasCode } from "../src/core/error.ts";
import { checkConfig } from "../src/doctor/config.ts";
import { examine } from "../src/doctor/doctor.ts";
import { count, type Finding, findings, type Level } from "../src/doctor/finding.ts";
import { checkProcess } from "../src/doctor/process.ts";
import type { RetryPolicy } from "../src/io/retry.ts";
import { number, plural } from "../src/observe/format.ts";
import type { Line } from "../src/observe/line.ts";
import { errorFields } from "../src/observe/log.ts";
import type { Session } from "../src/session/client.ts";
import { openSource } from "../src/session/open-source.ts";
import { countRequest } from "../src/session/source-limits.ts";
import { openVault } from "../src/vault/open.ts";
import { type RedisAddress, redisAddress } from "../src/workers/address.ts";

export const doctorCommand = withSource(
  command(
    "doctor",
    "check everything a run needs, and say how to fix what is wrong; writes and removes one test object",
    [
      "holdfast doctor",
      "holdfast doctor --client acme-bank --redis env:REDIS_URL    also checks the Redis of a backfill's workers",
      "holdfast doctor --json | jq '.clients[].findings[] | select(.level != \"ok\")'",
    ],
  ),
)
  .option("--redis <address>", "also check this Redis: redis://host:6379, or env:NAME, file:path")
  .addHelpText(
    "after",
    `
Exit code: 0 no failures (warnings are possible); 1 at least one failure; 2 the config is invalid. What it could not check
is \`unknown\`: look yourself where its line says.

In an S3 vault it stores a test object of some 47 bytes, doctor-probe, under a governance lock of one minute, to test how
the store handles locks and what these credentials may do. It deletes the object if these credentials can; otherwise
the object stays. On a disk it writes and removes a small file. For each webhook it sends itself a signed event and a forged
one, on loopback and into an inbox that it removes. Some test requests must be refused, and show up as
refused in the store's access log.`,
  )
  .action((options: CommonOptions & { redis?: string }) =>
    run(options, async (session, { file, inbox }) => {
      const redis = options.redis === undefined ? undefined : await redisAddress(options.redis, process.cwd());
      const diagnosis = await doctor(session, file, redis, inbox);
      session.console.result({ command: "doctor", ...diagnosis }, diagnosisText(diagnosis));
      if (diagnosis.failures > 0) process.exitCode = 1;
    }),
  );

/** Retries little: someone waits for the answer. */
const RETRY: RetryPolicy = { retries: 2, minDelay: 250, maxDelay: 2_000, maxRetryAfter: 10_000 };

export interface Diagnosis {
  /** Findings about this machine. */
  readonly machine: readonly Finding[];
  readonly clients: readonly {
    readonly client: string;
    readonly vault: string;
    readonly findings: readonly Finding[];
  }[];
  readonly ok: number;
  /** What could not be checked. */
  readonly unknown: number;
  readonly warnings: number;
  readonly failures: number;
}

/**
 * Checks everything a run needs. Leaves nothing behind, except as `src/doctor/probe.ts` says.
 * @param file the config file of the session's clients
 * @param inbox where webhooks are received. Undefined: not checked.
 */
export async function doctor(
  session: Session,
  file: string,
  redis?: RedisAddress,
  inbox?: InboxConfig,
): Promise<Diagnosis> {
  const config = await checkConfig(file, session.clients.length);
  const machine = [config, ...checkProcess()];
  if (redis) {
    // Imported here, as in backfill: the Redis client takes longer to load than everything else.
    const { checkRedis } = await import("../src/doctor/redis.ts");
    machine.push(...(await checkRedis(redis)));
  }
  const clients = [];
  for (const config of session.clients) {
    session.signal.throwIfAborted();
    const findings = await examineClient(config, session, inbox).catch((error: unknown) => [couldNot(error)]);
    clients.push({ client: config.id, vault: config.vault.url, findings });
  }
  const all = [...machine, ...clients.flatMap(({ findings }) => findings)];
  return {
    machine,
    clients,
    ok: count(all, "ok"),
    unknown: count(all, "unknown"),
    warnings: count(all, "warning"),
    failures: count(all, "failure"),
  };
}

async function examineClient(config: ClientConfig, session: Session, inbox?: InboxConfig): Promise<Finding[]> {
  const { now, signal, patience } = session;
  const retry = patience?.retry ?? RETRY;
  const idleTimeout = patience?.timeouts?.body ?? 20_000;
  await using opened = new AsyncDisposableStack();
  const vault = await openVault(config.vault, { signal, policy: retry, idleTimeout });
  opened.defer(() => vault.close());
  const source = async (of: ActiveSourceConfig, isNew: boolean) =>
    (await openSource(config, of, { ...session, patience: { ...patience, retry } }, "high", { isShared: !isNew }))
      .source;
  const count = (of: ActiveSourceConfig) => countRequest(config, of, now);
  return await examine({ config, source, countRequest: count, vault, now, retry, idleTimeout, inbox });
}

/** An error that prevents the check of one client becomes a finding; the other clients are still checked. */
function couldNot(error: unknown): Finding {
  if (hasCode(error, "interrupted")) throw error;
  const { error: message, hint } = errorFields(error);
  return findings("client").failure(`could not check: ${message}`, hint);
}

/** In printing order: failures come last, where a terminal shows them. */
const SHOWN = {
  ok: { mark: "ok", tone: "good" },
  unknown: { mark: "unknown", tone: "warning" },
  warning: { mark: "WARNING", tone: "warning" },
  failure: { mark: "FAILURE", tone: "bad" },
} as const;

export function diagnosisText({ machine, clients, ok, unknown, warnings, failures }: Diagnosis): Line[] {
  const titled = [
    ["this machine", machine] as const,
    ...clients.map(({ client, vault, findings }) => [`${client}  ${vault}`, findings] as const),
  ];
  const blocks = (Object.keys(SHOWN) as Level[]).flatMap((level) =>
    titled.flatMap(([title, all]) => {
      const found = all.filter((finding) => finding.level === level);
      return found.length === 0 ? [] : [title, ...found.flatMap(findingText), ""];
    }),
  );
  const unchecked = unknown > 0 ? `, ${number(unknown)} that could not be checked` : "";
  const counted = `${plural(failures, "failure")}, ${plural(warnings, "warning")}, ${number(ok)} ok${unchecked}`;
  return [...blocks, { text: counted, tone: failures > 0 ? "bad" : warnings > 0 ? "warning" : "good" }];
}

function findingText({ check, level, text, hint }: Finding): Line[] {
  const { mark, tone } = SHOWN[level];
  return [
    { text: `  ${mark.padEnd(8)} ${check.padEnd(10)}${text}`, tone, mark },
    ...(hint === undefined ? [] : [`${" ".repeat(21)}→ ${hint}`]),
  ];
}
