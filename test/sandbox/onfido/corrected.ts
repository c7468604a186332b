/**
 * Onfido's published OpenAPI file says that almost nothing is null, which its own answers contradict. This changes the
 * schemas to what is known of the answers, and leaves everything else.
 */
import { STATES } from "../states.ts";

type Schema = Record<string, unknown>;

const schemas = (value: unknown): Schema => (typeof value === "object" && value !== null ? (value as Schema) : {});

export function correct(document: unknown): void {
  const { components } = document as { components: { schemas: Record<string, Schema> } };
  const all = components.schemas;
  // The sandbox's states do not exist, so their codes are not in the list of countries.
  (all.country_codes!.enum as string[]).push(...STATES.map(({ code }) => code));
  // Its description says that it may be a list.
  schemas(all.task!.properties).output = {};
  for (const schema of Object.values(all)) walk(schema);
}

function walk(schema: Schema): void {
  const { discriminator, oneOf } = schema;
  if (discriminator !== undefined && Array.isArray(oneOf)) {
    // Told apart by a name: by their shapes alone, most answers would fit several.
    const { propertyName, mapping } = discriminator as { propertyName: string; mapping: Record<string, string> };
    delete schema.oneOf;
    delete schema.discriminator;
    schema.properties = { [propertyName]: { enum: Object.keys(mapping) } };
    schema.required = [propertyName];
    schema.allOf = Object.entries(mapping).map(([name, $ref]) => ({
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      ...{ if: { properties: { [propertyName]: { const: name } } }, then: { $ref } },
    }));
    return;
  }
  const required = (schema.required ?? []) as string[];
  for (const [name, property] of Object.entries(schemas(schema.properties))) {
    walk(schemas(property));
    if (required.includes(name)) continue;
    // While a report is open, both are empty arrays.
    const isOpen = name === "breakdown" || name === "properties";
    const others = isOpen ? [{ type: "null" }, { type: "array", maxItems: 0 }] : [{ type: "null" }];
    (schema.properties as Schema)[name] = { anyOf: [...others, property] };
  }
  for (const key of ["items", "additionalProperties"]) if (schema[key] !== undefined) walk(schemas(schema[key]));
  for (const key of ["allOf", "anyOf", "oneOf"]) for (const part of (schema[key] ?? []) as Schema[]) walk(part);
}
