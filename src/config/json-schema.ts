import { z } from "zod";
import { configSchema } from "./schema.ts";

/** The config file as JSON Schema, for editors. `npm run docs` writes it to `config/holdfast.schema.json`. */
export function jsonSchema(): object {
  // Relative paths are not resolved here, so any folder works. YAML editors support draft 7 best.
  const schema = z.toJSONSchema(configSchema("/"), { io: "input", target: "draft-07" });
  return { ...schema, title: "Holdfast" };
}
