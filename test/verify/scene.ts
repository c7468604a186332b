import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { verify } from "../../jobs/verify.ts";
import type { Entry } from "../../src/audit/entry.ts";
import { parseSigner, type Signer } from "../../src/audit/note.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import type { ClientConfig } from "../../src/config/config.ts";
import { systemClock } from "../../src/core/clock.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { exitCode } from "../../src/core/exit-code.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import { refuseProblems } from "../../src/session/refuse-problems.ts";
import type { VerifyOptions } from "../../src/session/verify-client.ts";
import { openVault } from "../../src/vault/open.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { CLIENT, makeWorkplace, type Workplace, type WorkplaceOptions } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

/** What verify found. */
export interface Outcome {
  /** The command's exit code. */
  readonly exit: number;
  /** The keys of the problems, and the message of an error that ended it. */
  readonly named: readonly string[];
  /** The error, if it did not finish. */
  readonly thrown: unknown;
  readonly orphans: readonly string[];
}

/** A vault from real exports, with everything that can be changed: files, several checkpoints, more than one tile. */
export class Scene implements AsyncDisposable {
  readonly place: Workplace;
  readonly client: ClientConfig;
  readonly vault: Vault;
  /** The vault's folder, and this machine's state. */
  readonly root: string;
  readonly state: string;

  private constructor(place: Workplace, client: ClientConfig, vault: Vault) {
    this.place = place;
    this.client = client;
    this.vault = vault;
    this.root = place.path("vault", CLIENT);
    this.state = place.path("state", CLIENT);
  }

  static async of(place: Workplace, client: ClientConfig): Promise<Scene> {
    return new Scene(place, client, await openVault(client.vault));
  }

  /** Verifies in this process, like the command. */
  async verify(options: Partial<VerifyOptions> = {}): Promise<Outcome> {
    const session = {
      clients: [this.client],
      console: { log: silentLog, progress: () => noProgress, say: () => {}, result: () => {}, error: () => {} },
      signal: new AbortController().signal,
      now: systemClock,
    };
    const outcome = { exit: 0, named: [] as string[], thrown: undefined as unknown, orphans: [] as string[] };
    try {
      const reports = await verify(session, { readData: 100, orphans: true, ...options });
      for (const { found, orphaned } of reports) {
        outcome.named.push(...found.map(({ key }) => key));
        outcome.orphans.push(...(orphaned ?? []).map(({ key }) => key));
      }
      refuseProblems(reports);
    } catch (error) {
      outcome.exit = exitCode(error);
      if (outcome.named.length > 0) return outcome;
      outcome.thrown = error;
      outcome.named.push(String(error));
    }
    return outcome;
  }

  async signer(): Promise<Signer> {
    return parseSigner((await readFile(this.place.path("keys/log"), "utf8")).trim());
  }

  /** Adds entries to the log, `batches` times `count`, like the writer. */
  async log(batches: number, count: number, time?: string): Promise<void> {
    const writer = await AuditWriter.open({
      ...{ vault: this.vault, signer: await this.signer(), state: this.state, now: systemClock, holds: () => {} },
      conditional: { ifNoneMatch: false, ifMatch: false },
      lock: { mode: "governance", initial: this.client.retention.initialLock },
    });
    for (let batch = 0; batch < batches; batch++) {
      await Promise.all(Array.from({ length: count }, (_, n) => writer.append(failed(batch * count + n, time))));
      await writer.flush();
    }
    await writer.close();
  }

  /** A version's bytes in the folder: the newest, or one that is this many before it. */
  async file(key: string, before = 0): Promise<string> {
    const versions: string[] = [];
    for await (const found of this.vault.versions(key)) if (found.key === key) versions.push(found.versionId);
    return join(this.root, ".versions", key, versions[before]!);
  }

  async note(key: string): Promise<string> {
    return `${await this.file(key)}.json`;
  }

  /** A copy that can be changed permanently. */
  async copy(): Promise<Scene> {
    const place = await this.place.copy();
    return await Scene.of(place, await place.client());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vault.close();
    await this.place[Symbol.asyncDispose]();
  }
}

function failed(n: number, time = "2026-11-23T10:15:00.000Z"): Entry {
  const subject = n.toString(16).padStart(32, "0");
  return {
    type: "record.failed",
    time,
    run: "scene",
    subject,
    stage: "fetch",
    code: "none",
  };
}

/** Three exports, then enough entries for two full tiles and a partial one. */
export async function makeScene(options: WorkplaceOptions = {}, identities = 5): Promise<Scene> {
  await using sandbox = await startSandbox({ identities, plainImages: true });
  const place = await makeWorkplace(sandbox, options);
  await place.export();
  sandbox.change(2);
  await place.export();
  sandbox.change([identities - 1], { files: true });
  await place.export();
  const scene = await Scene.of(place, await place.client());
  await scene.log(6, 91);
  return scene;
}

/** Accepts only an error of ours, and returns its code. */
export function isOurs(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code !== "internal";
}
