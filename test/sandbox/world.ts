import { hash } from "./random.ts";

/** How a provider calls its identities, and what makes its choice of them differ from the other sandboxes'. */
export interface WorldKind<Fate> {
  readonly one: string;
  readonly many: string;
  readonly key: number;
  /** The fate of an identity to which nothing happened. */
  readonly untouched: Fate;
}

/**
 * What happened to a provider's identities since its sandbox started. Everything else follows from seed and index. Time
 * comes from a clock that a test sets.
 */
export abstract class World<
  Fate extends { readonly created?: number },
  Options extends { readonly clock: () => number },
> {
  readonly seed: number;
  readonly options: Options;
  readonly #kind: WorldKind<Fate>;
  #size: number;
  readonly #fates = new Map<number, Fate>();

  constructor(kind: WorldKind<Fate>, seed: number, size: number, options: Options) {
    this.#kind = kind;
    this.seed = seed;
    this.options = options;
    this.#size = size;
  }

  /** One past the highest index; identities that are gone keep theirs. */
  get size(): number {
    return this.#size;
  }

  now(): number {
    return this.options.clock();
  }

  fate(index: number): Fate {
    return this.#fates.get(index) ?? this.#kind.untouched;
  }

  /** Whether there is or was such an identity. */
  isOne(index: number): boolean {
    return index >= 0 && index < this.#size;
  }

  abstract has(index: number): boolean;

  /** Those that are left, the oldest first. */
  here(): number[] {
    return Array.from({ length: this.#size }, (_, index) => index).filter((index) => this.has(index));
  }

  add(count: number): number[] {
    const indexes = Array.from({ length: count }, () => this.#size++);
    for (const index of indexes) this.set(index, { created: this.now() } as Partial<Fate>);
    return indexes;
  }

  /** `count` of those that are left, scattered but always the same ones. */
  scattered(count: number): number[] {
    const here = this.here();
    const { many, key } = this.#kind;
    if (count > here.length) throw new RangeError(`cannot change ${count} ${many}, there are ${here.length}`);
    if (count === here.length) return here;
    const chosen = new Set<number>();
    for (let n = 0; chosen.size < count; n++) chosen.add(here[hash(this.seed, key, n) % here.length]!);
    return [...chosen].sort((a, b) => a - b);
  }

  set(index: number, news: Partial<Fate>): void {
    if (!this.isOne(index)) throw new RangeError(`there is no ${this.#kind.one} ${index}`);
    this.#fates.set(index, { ...this.fate(index), ...news });
  }
}
