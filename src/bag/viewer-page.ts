import { readFile } from "node:fs/promises";

/** The page in every bag, as `npm run viewer` built it. The bundled program has it inside (release/bundle.ts). */
export const viewerPage = (): Promise<Uint8Array> => readFile(new URL("../viewer/viewer.html", import.meta.url));
