import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, type ScalarTag } from "yaml";

export const FILE = join(import.meta.dirname, "../../config/aws/holdfast.yaml");

export interface Template {
  readonly Parameters: Readonly<
    Record<string, { readonly Default?: string | number; readonly AllowedPattern?: string }>
  >;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** An unresolved function and its arguments. */
class Call {
  readonly name: string;
  readonly argument: unknown;
  constructor(name: string, argument: unknown) {
    this.name = name;
    this.argument = argument;
  }
}

const FUNCTIONS = ["Ref", "Sub", "GetAtt", "If", "Equals", "Not"];

/** The template with its parameters applied, as in CloudFormation. Throws for anything it does not know. */
export function resolveTemplate(parameters: Readonly<Record<string, string>>, file: string = FILE): Template {
  const customTags = FUNCTIONS.flatMap((name) => [
    { tag: `!${name}`, resolve: (text: string) => new Call(name, text) } satisfies ScalarTag,
    {
      tag: `!${name}`,
      collection: "seq" as const,
      resolve: (sequence: { toJSON(): unknown }) => new Call(name, sequence.toJSON()),
    },
  ]);
  const template = parse(readFileSync(file, "utf8"), { customTags, version: "1.2", strict: true }) as Template;
  const values: Record<string, string> = {};
  for (const [name, { Default, AllowedPattern }] of Object.entries(template.Parameters)) {
    const value = parameters[name] ?? Default;
    if (value === undefined) throw new Error(`parameter ${name} has no value`);
    if (AllowedPattern && !new RegExp(`^(?:${AllowedPattern})$`).test(String(value)))
      throw new Error(`${name}: ${value}`);
    values[name] = String(value);
  }
  const unknown = Object.keys(parameters).filter((name) => !(name in template.Parameters));
  if (unknown.length > 0) throw new Error(`no parameters: ${unknown.join()}`);

  const reference = (name: string): string | undefined => {
    if (name === "AWS::NoValue") return undefined;
    if (name in values) return values[name];
    const resource = template.Resources[name];
    if (resource?.Type === "AWS::S3::Bucket") return values.BucketName;
    if (resource) return `physical:${name}`;
    throw new Error(`!Ref ${name}`);
  };
  const attribute = (name: string): string => {
    if (name === "Bucket.Arn") return `arn:aws:s3:::${values.BucketName}`;
    throw new Error(`!GetAtt ${name}`);
  };
  const condition = (value: unknown): boolean => {
    if (typeof value === "boolean") return value;
    throw new Error(`no condition: ${String(value)}`);
  };
  const work = (value: unknown): unknown => {
    if (value instanceof Call) {
      const of = value.argument;
      switch (value.name) {
        case "Ref":
          return reference(String(of));
        case "GetAtt":
          return attribute(String(of));
        case "Sub":
          return String(of).replace(/\$\{([^}]+)\}/g, (_, name: string) =>
            name.includes(".") ? attribute(name) : (reference(name) ?? ""),
          );
        case "Equals": {
          const [one, other] = (of as unknown[]).map(work);
          return one === other;
        }
        case "Not":
          return !condition(work((of as unknown[])[0]));
        case "If": {
          const [name, yes, no] = of as [string, unknown, unknown];
          if (!(name in template.Conditions)) throw new Error(`no condition ${name}`);
          return condition(work(template.Conditions[name])) ? work(yes) : work(no);
        }
      }
    }
    if (Array.isArray(value)) return value.map(work).filter((item) => item !== undefined);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, work(inner)] as const);
    return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
  };
  return {
    ...template,
    Resources: work(template.Resources) as Template["Resources"],
    Outputs: work(template.Outputs) as Template["Outputs"],
  };
}
