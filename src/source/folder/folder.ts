import type { FolderSourceConfig } from "../../config/source-config.ts";
import { HoldfastError } from "../../core/error.ts";
import type { FileRef } from "../../core/identity.ts";
import type { HttpOptions } from "../http-options.ts";
import type { LimitsView } from "../rate/limits.ts";
import type { Change, Dossier, FetchedFile, Page, Project, Source, SourceCheck, WaitingDrops } from "../source.ts";
import { dropChecks } from "./checks.ts";
import { findDrops, waitingIn } from "./drops.ts";
import { entryAt, type FolderEntry } from "./entries.ts";
import { ENTRY, FILE, refused } from "./errors.ts";
import { digested, filesOf, listedOf, openFile } from "./files.ts";
import { disposable } from "./manifest.ts";
import { identityOf } from "./mapping.ts";
import { pagesOf } from "./pages.ts";
import { Scan } from "./scan.ts";
import type { Store } from "./store.ts";

export interface FolderOptions extends Pick<HttpOptions, "signal" | "onRequest"> {
  readonly now: () => Temporal.Instant;
}

/** While a run takes long, new drops are looked for this often, in ms. */
const FRESH = 10 * 60_000;

/**
 * Drops of files. One identity is one entry of a file; where several drops have an id, the newest counts. Nothing that
 * is missing there was deleted.
 */
export class FolderSource implements Source {
  readonly kind = "folder";
  readonly can = { list: true, changes: false, deletes: false };
  readonly api: string;
  readonly #config: FolderSourceConfig;
  readonly #options: FolderOptions;
  readonly #store: Store;
  #scan: { readonly of: Promise<Scan>; at: number } | undefined;
  /** Earlier ones may still be read from. */
  readonly #scans: Scan[] = [];
  #waiting: WaitingDrops | undefined;
  #requests = 0;
  #isClosed = false;

  /** @param store is closed with the source */
  constructor(config: FolderSourceConfig, store: Store, options: FolderOptions) {
    this.api = config.url;
    this.#config = config;
    this.#options = options;
    this.#store = store;
  }

  get requests(): number {
    return this.#requests;
  }

  get limits(): LimitsView {
    const rate = (this.#config.rate.count * 1_000) / this.#config.rate.per;
    return { rate, ceiling: rate, per: this.#config.rate.per, silences: 0, silent: 0, refusals: 0 };
  }

  get waiting(): WaitingDrops | undefined {
    return this.#waiting;
  }

  /** The folder. Throws if it cannot be read. */
  async project(): Promise<Project> {
    return this.#told(ENTRY, async () => {
      for await (const _ of this.#store.list("")) break;
      return { id: this.api, name: "folder", environment: "unknown" };
    });
  }

  async *pages({ cursor }: { cursor?: string } = {}): AsyncGenerator<Page> {
    const scan = await this.#fresh();
    yield* pagesOf(this.#store, scan, this.#config, cursor);
  }

  // biome-ignore lint/correctness/useYield: the contract is a generator, and there is nothing to yield.
  async *changes(): AsyncGenerator<readonly Change[]> {
    throw new HoldfastError("internal", "a folder names no changes");
  }

  dossier(id: string, { full }: { readonly full: boolean }): Promise<Dossier> {
    return this.#told(ENTRY, async () => {
      const scan = await this.#present();
      const { entry, home, format } = await this.#entry(scan, id);
      if (entry.why !== undefined) throw refused(`it ${entry.why}`);
      const identity = identityOf(id, entry.value, this.#config);
      const named = await filesOf(this.#store, scan, home, id, entry.value, this.#config);
      const files = full ? await digested(this.#store, named, home, scan) : [];
      return {
        identity,
        answers: [{ endpoint: `folder ${format}`, text: entry.text }],
        content: { entry: entry.value, files: files.map(({ resource, id }) => [resource, id]) },
        listed: listedOf(entry.text, named, home, scan),
        files,
        gaps: [],
        open: false,
        redacted: false,
      };
    });
  }

  file(identity: string, file: FileRef): Promise<FetchedFile> {
    return this.#told(FILE, async () => {
      const scan = await this.#present();
      const place = scan.places.get(identity);
      if (place === undefined) throw missing();
      return openFile(this.#store, scan.home(place.file), file, scan);
    });
  }

  /** Which drops are whole. */
  async checks(): Promise<readonly SourceCheck[]> {
    return dropChecks(await findDrops(this.#store, this.#config, this.#options.now), this.#config.ready);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const scan of this.#scans.splice(0)) scan.close();
    await this.#store.close();
  }

  async #entry(scan: Scan, id: string) {
    const place = scan.places.get(id);
    const file = place && scan.survey.files[place.file];
    if (place === undefined || file === undefined) throw missing();
    await using open = disposable(await this.#store.open(file.path));
    if (open.of.stamp !== file.stamp) {
      this.#scan = undefined;
      throw refused("its file changed since it was listed");
    }
    const entry: FolderEntry = await entryAt(open.of, place, scan.header(file));
    return { entry, home: scan.home(place.file), format: file.format };
  }

  /** What lies there, as last read; read again if it is not what lies there now. */
  async #present(): Promise<Scan> {
    const known = this.#scan;
    if (known === undefined) return this.#fresh();
    const now = this.#options.now().epochMilliseconds;
    if (Math.abs(now - known.at) < FRESH) return known.of;
    known.at = now;
    const { fingerprint } = await findDrops(this.#store, this.#config, this.#options.now);
    const scan = await known.of;
    return scan.survey.fingerprint === fingerprint || this.#scan !== known ? scan : this.#fresh();
  }

  #fresh(): Promise<Scan> {
    const read = async (): Promise<Scan> => {
      const scan = new Scan(await findDrops(this.#store, this.#config, this.#options.now));
      this.#waiting = waitingIn(scan.survey.drops);
      this.#scans.push(scan);
      await scan.read(this.#store, this.#config, this.#options.signal);
      return scan;
    };
    const of = this.#told("folder scan", read);
    const begun = { of, at: this.#options.now().epochMilliseconds };
    this.#scan = begun;
    of.catch(() => {
      if (this.#scan === begun) this.#scan = undefined;
    });
    return of;
  }

  async #told<T>(endpoint: string, work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new HoldfastError("interrupted", "the source is closed");
    this.#requests += 1;
    const begun = performance.now();
    const tell = (outcome: string) => this.#options.onRequest?.(endpoint, outcome, (performance.now() - begun) / 1_000);
    try {
      const result = await work();
      tell("ok");
      return result;
    } catch (error) {
      tell(error instanceof HoldfastError ? error.code : "internal");
      throw error;
    }
  }
}

const missing = () =>
  new HoldfastError("source-missing", `${ENTRY}: no drop has it`, {
    hint: "Check the id, and that its drop is still there and whole.",
  });
