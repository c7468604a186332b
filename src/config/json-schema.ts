import { z } from "zod";
import { configSchema } from "./schema.ts";

/**
 * The config file for editors, as JSON Schema. `config/holdfast.schema.json` is its output, made again by
 * `node src/config/json-schema.ts > config/holdfast.schema.json && npm run format`.
 */
export function jsonSchema(): object {
  // Relative paths are not resolved here, so any folder does. Draft 7 is what YAML editors know best.
  const schema = z.toJSONSchema(configSchema("/"), { io: "input", target: "draft-07" });
  return { ...schema, title: "Holdfast" };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
