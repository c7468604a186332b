import type { FolderSourceConfig } from "../../config/source-config.ts";
import { DirectoryStore } from "./directory.ts";
import type { Store } from "./store.ts";

/** Loads the AWS SDK only when needed: it would take a third of the program's start time. */
export async function openStore({ place }: Pick<FolderSourceConfig, "place">): Promise<Store> {
  if (place.kind === "directory") return new DirectoryStore(place.path);
  const { BucketStore } = await import("./bucket.ts");
  return new BucketStore(place);
}
