/** Something in a vault that is not as its log says. */
export interface Problem {
  /** What it is about: an object's key, or that of a tile, a bundle or the checkpoint. */
  readonly key: string;
  /** The log entry that promises otherwise. */
  readonly entry?: number;
  readonly what: string;
  /** Nothing is there at all: what a purge leaves. */
  readonly isMissing?: boolean;
}
