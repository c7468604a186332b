import { passbase } from "./passbase.ts";
import type { Provider } from "./stage.ts";

/** Every provider that the suite tries. */
export const PROVIDERS: readonly Provider[] = [passbase];
