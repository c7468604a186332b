/** The part of the room that one file takes. Dispose of it once the file is stored. */
export interface Place extends Disposable {
  /** Waits until the file, of which so many bytes were read, may have them in memory. */
  need(bytes: number): Promise<void>;
  /** Nothing more is read: it takes so many bytes until it is stored. */
  settle(bytes: number): void;
  /** It will be read again from its beginning, and may have to wait for what the others hold. */
  restart(): void;
}

/**
 * Room in memory for the files that are stored at the same time: many small ones, or a few large ones. A file's size is
 * known only at its end, so each enters with what the last one took, and may need more.
 *
 * No file waits forever: of those whose bytes come or came, the first never waits, and it needs nothing that the others
 * hold. So the room may be exceeded, by one file at a time.
 */
export class Room {
  readonly #limit: number;
  #used = 0;
  #inside = 0;
  /** What the last file took; less, the more have followed of which no byte came. */
  #expected: number;
  /** The files inside, in the order in which their first bytes came. */
  readonly #begun = new Set<Place>();
  #changed = Promise.withResolvers<void>();

  /**
   * @param limit in bytes
   * @param expected what the first files are expected to take
   */
  constructor(limit: number, expected = 0) {
    this.#limit = limit;
    this.#expected = expected;
  }

  /** Waits until there is probably room for another file. */
  async enter(): Promise<Place> {
    while (this.#inside > 0 && this.#used + this.#expected > this.#limit) await this.#changed.promise;
    let taken = 0;
    let hasRead = false;
    const take = (bytes: number): void => {
      this.#used += bytes - taken;
      taken = bytes;
    };
    const place: Place = {
      need: async (bytes) => {
        hasRead = true;
        this.#begun.add(place);
        const isFirst = () => this.#begun.values().next().value === place;
        while (bytes > taken && this.#used - taken + bytes > this.#limit && !isFirst()) await this.#changed.promise;
        if (bytes > taken) take(bytes);
      },
      settle: (bytes) => {
        hasRead = true;
        take(bytes);
        this.#tell();
      },
      restart: () => {
        this.#begun.delete(place);
        this.#tell();
      },
      [Symbol.dispose]: () => {
        this.#begun.delete(place);
        // One that the provider refused took nothing. If it refuses all, they soon do not wait for each other.
        this.#expected = hasRead ? taken : Math.floor(this.#expected / 2);
        take(0);
        this.#inside -= 1;
        this.#tell();
      },
    };
    this.#inside += 1;
    take(this.#expected);
    return place;
  }

  #tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
