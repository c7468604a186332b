import { z } from "zod";
import { configSchema } from "./schema.ts";

/**
 * The config file as JSON Schema, for editors. `config/holdfast.schema.json` is its output; to generate it again, run
 * `node src/config/json-schema.ts > config/holdfast.schema.json && npm run format`.
 */
export function jsonSchema(): object {
  // Relative paths are not resolved here, so any folder works. YAML editors support draft 7 best.
  const schema = z.toJSONSchema(configSchema("/"), { io: "input", target: "draft-07" });
  return { ...schema, title: "Holdfast" };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
