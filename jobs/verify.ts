import { join } from "node:path";
import { Option } from "commander";
import { differentKey } from "../src/audit/different-key.ts";
import { Journal } from "../src/audit/journal.ts";
import { lastSeenHead } from "../src/audit/last-seen.ts";
import { AuditLog, type Head } from "../src/audit/log.ts";
import { readAnchors } from "../src/audit/timestamp/authority.ts";
import { Catalog } from "../src/catalog/catalog.ts";
import { isCertificate } from "../src/certificate/certificate-check.ts";
import { amount, instant, percent, vkey } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withoutConfig } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError, hasCode, ownError } from "../src/core/error.ts";
import { MOST } from "../src/observe/first-few.ts";
import { bytes, number, plural } from "../src/observe/format.ts";
import { errorFields } from "../src/observe/log.ts";
import { Superseded } from "../src/retention/superseded.ts";
import { anotherLogKey, ownKey } from "../src/session/another-key.ts";
import { type ClientVault, openClientVault, type Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { sayVerdict } from "../src/session/key-trust.ts";
import { refuseProblems } from "../src/session/refuse-problems.ts";
import { verifyBag } from "../src/session/verify-bag.ts";
import { verifyCertificate } from "../src/session/verify-certificate.ts";
import { type CheckpointKept, reportText } from "../src/session/verify-text.ts";
import { type LastVerify, writeLastVerify } from "../src/state/last-verify.ts";
import { type LocksLookedAt, readLocksLookedAt, writeLocksLookedAt } from "../src/state/locks-looked-at.ts";
import { CHECKPOINT, VAULT_JSON } from "../src/vault/layout.ts";
import { openVault } from "../src/vault/open.ts";
import { Inventory } from "../src/verify/inventory.ts";
import { openPlace } from "../src/verify/inventory-place.ts";
import { DAYS, LockTurns } from "../src/verify/lock-turns.ts";
import { PlainDigests } from "../src/verify/plain-digests.ts";
import type { Problem } from "../src/verify/problem.ts";
import type { Orphan } from "../src/verify/unlogged-versions.ts";
import { wasDescribed } from "../src/verify/vault-description.ts";
import { type VerifyReport, verifyVault } from "../src/verify/verify.ts";
import { lockPlace, type PlannedVerify, planVerification } from "./verify-plan.ts";

export const verifyCommand = command(
  "verify",
  "check the log against its signed checkpoint, and every object against the log",
  [
    "holdfast verify",
    "holdfast verify --read-data 5%      also read and hash one object in twenty",
    "holdfast verify --read-data 100 --key officer.txt   also check that everything decrypts",
    "holdfast verify --all-locks          look at the lock of every object in the bucket, one request each",
    "holdfast verify --plan --list-price 0.005 --get-price 0.0004   the requests it will send, and what they cost",
    "holdfast verify --json | jq '.clients[].problems'",
    "holdfast verify ./case-12 --vkey 'acme-bank.example/holdfast+…'   only a bag, without config or vault",
  ],
)
  .argument("[bag]", "the folder of a bag or of a certificate of destruction; default: the vaults in the config")
  .option("--read-data <percent>", "percentage of objects, picked at random, to read back and hash", percent)
  .option(
    "--since <date>",
    "skip objects stored before this date, such as 2026-11-01; the log is always checked in full",
    instant,
  )
  .addOption(
    new Option(
      "--key <file>",
      "age identity file: also decrypt what is read; reads everything unless --read-data says otherwise",
    ),
  )
  .option("--vkey <key>", "the log's public key that you trust, as printed by init", vkey)
  .option("--tsa-ca <file>", "root certificates (PEM) that you trust for time stamps; default: those in the config")
  .option(
    "--all-locks",
    `look at every object's lock, with a request for each; default: at a sample, and at each within ${DAYS} days`,
    false,
  )
  .addOption(
    new Option(
      "--inventory <path>",
      "take locks from this S3 Inventory: its manifest.json or folder, here or s3://…; asks about what it does not confirm",
    ).conflicts("allLocks"),
  )
  .option("--plan", "only estimate the requests it will send, from this machine's catalog; sends none", false)
  .option("--list-price <amount>", "with --plan: the price of a thousand S3 listings, in your currency", amount)
  .option("--get-price <amount>", "with --plan: the price of a thousand other S3 requests", amount)
  .option("--orphans", "list objects that are not in the log", false)
  .action((bag: string | undefined, options: CommonOptions & Flags) => {
    const { plan, listPrice, getPrice } = options;
    const refuseMisused = (): void => {
      if (!plan && (listPrice !== undefined || getPrice !== undefined))
        throw new HoldfastError("usage", "--list-price and --get-price need --plan", { hint: "Add --plan." });
      if (plan && bag !== undefined)
        throw new HoldfastError("usage", "--plan is about vaults, not bags", { hint: "Leave the folder out." });
    };
    if (bag !== undefined) {
      return withoutConfig(options, async (console) => {
        refuseMisused();
        const checked = (await isCertificate(bag))
          ? await verifyCertificate(bag, options.vkey, console)
          : await verifyBag(bag, options, console);
        console.result({ command: "verify", ...checked });
      });
    }
    return run(options, async (session) => {
      refuseMisused();
      const readData = options.readData ?? (options.key === undefined ? 0 : 100);
      if (plan) {
        const asked = { ...options, readData };
        await tellClients(session, "verify", (onFailure) => planVerification(session, asked, onFailure), {
          name: "plan",
        });
        return;
      }
      await tellClients(session, "verify", (onFailure) => verify(session, { ...options, readData }, onFailure), {
        refuse: refuseProblems,
      });
    });
  });

interface Flags extends Omit<VerifyOptions, "readData">, Omit<PlannedVerify, "readData"> {
  readonly readData?: number;
  readonly plan?: boolean;
}

export interface VerifyOptions {
  /** Percentage of the objects to read. */
  readonly readData: number;
  readonly since?: Temporal.Instant;
  /** An age identity file, to decrypt what is read. */
  readonly key?: string;
  /** The log's public key that the auditor trusts. Default: the one in the vault. */
  readonly vkey?: string;
  /** Root certificates of time-stamping authorities, PEM. Default: those in the config. */
  readonly tsaCa?: string;
  /** List objects that are not in the log. */
  readonly orphans?: boolean;
  /** Where an S3 Inventory of the vault's bucket lies: a path or s3://. */
  readonly inventory?: string;
  /** Look at the lock of every object. Default: of those whose turn it is. */
  readonly allLocks?: boolean;
}

export interface ClientReport extends VerifyReport {
  readonly client: string;
  readonly checkpoint: CheckpointKept;
  /** The log's public key, and whether the caller vouched for it. */
  readonly vkey: string;
  readonly keyTrusted: boolean;
  /** When the inventory was made that locks were taken from. */
  readonly inventory: string | null;
  /** The first of them; `problems` counts all. */
  readonly found: readonly Problem[];
  /** The first objects that must be locked but are not; \`unlocked\` counts all. */
  readonly notLocked: readonly Problem[];
  readonly orphaned?: readonly Orphan[];
}

/** JSON lists at most this many problems and orphans, and counts the rest. */
const LISTED = 100_000;

/** Checks the log against the checkpoint, and the vault against the log, both ways. Needs no private key. */
export async function verify(
  session: Session,
  options: VerifyOptions,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ClientReport[]> {
  const { since } = options;
  if (since && Temporal.Instant.compare(since, session.now()) > 0) {
    throw new HoldfastError("usage", `--since ${since} is in the future: no object would be checked`, {
      hint: "Name a time in the past, or leave --since out to check everything.",
    });
  }
  const opener = options.key === undefined ? undefined : await openKeyFile(options.key);
  const verifyOne = async (config: ClientConfig): Promise<ClientReport> => {
    const { console, signal, now } = session;
    await using opened = new AsyncDisposableStack();
    const { vault, description, verifiers } = opened.use(await openDescribed(config, session));
    let progress = console.progress(`${config.id}: log entries`);
    opened.defer(() => progress.end());
    let isLogRead = false;
    const { vkey } = description.log;
    if (options.vkey !== undefined && options.vkey !== vkey) throw differentKey(`vault.json in ${vault.url}`, vkey);
    const own = await ownKey(config);
    if (own !== undefined && own !== vkey) throw await anotherLogKey(config, description, vault.url);
    const log = new AuditLog(vault, description.log.origin, verifiers);
    const head = await openHead(log);
    const seen = await lastSeenHead(config.state, log, head);
    const journal = join(config.state, "journal");
    const scratch = (name: string): string => join(config.state, `verify-${process.pid}${name}.sqlite`);
    const index = Catalog.temporary(scratch(""), log.origin);
    opened.defer(() => index.close());
    const superseded = new Superseded(scratch("-superseded"));
    opened.defer(() => superseded.close());
    const digests = new PlainDigests(scratch("-digests"));
    opened.defer(() => digests.close());
    const place = lockPlace(config);
    const last = options.allLocks ? undefined : readLocksLookedAt(config.state, place);
    const turns = new LockTurns(last, now(), scratch("-extended"));
    opened.defer(() => turns.close());
    const inventory =
      options.inventory === undefined
        ? undefined
        : await readInventory(options.inventory, config, scratch("-inventory"), session);
    opened.defer(() => inventory?.close());
    const ca = options.tsaCa ?? config.log.timestamps?.ca;
    const isWhole = options.readData === 100 && since === undefined;
    const found: Problem[] = [];
    const notLocked: Problem[] = [];
    const shown = { problems: 0, orphans: 0 };
    let unlocked = 0;
    const orphaned: Orphan[] = [];
    const report = await verifyVault({
      vault,
      head,
      policy: { retention: config.retention, mode: config.vault.lock },
      seen: seen ? [{ ...seen, source: `the checkpoint that this machine saw last (${seen.path})` }] : [],
      journal: { path: journal, entries: await new Journal(journal).inspect(), seen: seen?.size ?? 0 },
      verifiers,
      index,
      superseded,
      digests,
      turns,
      inventory,
      now,
      signal,
      opener,
      readData: options.readData,
      since: options.since,
      anchors: ca === undefined ? undefined : await readAnchors(ca),
      concurrency: config.vault.concurrency,
      onProgress: (done, total, problems) =>
        progress.update(done, total, problems > 0 ? plural(problems, "problem") : ""),
      onObjects: (done, total, { problems, readBytes, of }) => {
        if (!isLogRead) {
          progress.end();
          progress = console.progress(`${config.id}: objects`);
          isLogRead = true;
        }
        const notes = [
          ...(problems > 0 ? [plural(problems, "problem")] : []),
          ...(options.readData > 0 ? [`${bytes(readBytes)}${isWhole ? ` of ${bytes(of)}` : ""} read`] : []),
        ];
        progress.update(done, total, notes.join(", "));
      },
      onProblem: (problem) => {
        if (found.length < LISTED) found.push(problem);
        if (console.isWatched && ++shown.problems > MOST) return;
        const { key, entry, what } = problem;
        console.log.error(entry === undefined ? what : `entry ${entry}: ${what}`, { client: config.id, key });
      },
      onUnlocked: (object) => {
        if (notLocked.length < LISTED) notLocked.push(object);
        // The summary says how to lock all of them.
        if (++unlocked <= MOST) console.log.info(object.what, { client: config.id, key: object.key });
      },
      onOrphan: (orphan) => {
        if (!options.orphans) return;
        if (orphaned.length < LISTED) orphaned.push(orphan);
        if (console.isWatched && ++shown.orphans > MOST) return;
        console.log.warn("this object is not in the log", { client: config.id, key: orphan.key });
      },
    });
    progress.end();
    sayMore(console, config.id, shown);
    if (unlocked > MOST)
      console.log.info(`… and ${number(unlocked - MOST)} more that are not locked: ${listsOf(unlocked)}`, {
        client: config.id,
      });
    const key = { vkey, keyTrusted: (options.vkey ?? own) !== undefined };
    const checkpoint = { origin: head.origin, size: head.size, root: Buffer.from(head.root).toString("base64") };
    remember(
      config,
      {
        time: now().toString(),
        problems: report.problems,
        unlocked: report.unlocked,
        unlisted: report.unlisted,
        entries: report.entries,
        readData: options.readData,
        keyTrusted: key.keyTrusted,
        locks: { looked: report.looked, of: report.records + report.files + report.notes },
      },
      since || vault.isLocal ? undefined : { of: place, ...turns.after(head.size, inventory?.created) },
      console,
    );
    const made = inventory?.created.toString() ?? null;
    sayVerdict(console, reportText(config.id, report, checkpoint, key.keyTrusted, vault.isLocal === true, made), {
      ...key,
      with: "vault",
      client: config.id,
    });
    const orphanedToo = options.orphans ? { orphaned } : {};
    return { client: config.id, checkpoint, ...key, ...report, inventory: made, found, notLocked, ...orphanedToo };
  };
  return eachClient(session, verifyOne, onFailure);
}

/** Says how many findings the terminal does not show. */
function sayMore({ log }: Session["console"], client: string, shown: Readonly<Record<string, number>>): void {
  for (const [what, count] of Object.entries(shown)) {
    if (count <= MOST) continue;
    log.warn(`… and ${number(count - MOST)} more ${what}: ${listsOf(count)}`, { client });
  }
}

function listsOf(count: number): string {
  return count > LISTED ? `--json lists ${number(LISTED)}` : "--json lists all";
}

/** Remembers the time of this check, for the metrics and the report, and whose locks were looked at, for the next. */
function remember(
  { id, state }: ClientConfig,
  last: LastVerify,
  looked: Partial<LocksLookedAt> | undefined,
  { log }: Session["console"],
): void {
  try {
    writeLastVerify(state, last);
    if (looked) writeLocksLookedAt(state, looked);
  } catch (error) {
    log.warn("cannot save the time of this verification", { client: id, ...errorFields(error) });
  }
}

/** The locks of a vault's bucket, as an S3 Inventory has them. */
async function readInventory(
  address: string,
  { id, vault }: ClientConfig,
  path: string,
  { signal, now, console }: Session,
): Promise<Inventory> {
  if (vault.kind !== "s3") {
    throw new HoldfastError("usage", `${id}: --inventory is for vaults in S3`, {
      hint: "Leave it out: in a directory, verify looks at every lock.",
    });
  }
  await using place = await openPlace(address, vault, signal);
  const inventory = await Inventory.read(place, { ...vault, now: now() }, path, signal);
  console.log.info(`read the inventory of ${inventory.created}`, { client: id });
  return inventory;
}

/** A changed or missing vault.json is not a config error, nor a vault before `init`. */
async function openDescribed(config: ClientConfig, session: Session): Promise<ClientVault & AsyncDisposable> {
  try {
    return await openClientVault(config, session);
  } catch (error) {
    if (!hasCode(error, "config", "vault-missing", "malformed")) throw error;
    await using opened = new AsyncDisposableStack();
    const vault = await openVault(config.vault, { signal: session.signal });
    opened.defer(() => vault.close());
    if (!hasCode(error, "malformed") && !(await wasDescribed(vault, config.id, config.log.origin))) throw error;
    const missing = hasCode(error, "vault-missing");
    throw new HoldfastError("incomplete", `${vault.url}/${VAULT_JSON} ${missing ? "is missing" : "was changed"}`, {
      cause: error,
      hint: "Keep the current one as evidence. The vault may still have earlier versions.",
    });
  }
}

/** The log's head. Errors name the checkpoint object. */
async function openHead(log: AuditLog): Promise<Head> {
  try {
    return await log.head();
  } catch (error) {
    const own = ownError(error);
    if (!own || !hasCode(own, "incomplete", "malformed", "unverified")) throw error;
    const what = ownError(own.cause) ?? own;
    throw new HoldfastError(own.code, `${CHECKPOINT} cannot be trusted: ${what.message}`, {
      cause: error,
      hint: "Keep it as evidence. The vault has its earlier versions, each with the log at that time.",
    });
  }
}
