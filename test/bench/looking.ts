import { child } from "./process.ts";
import type { Report } from "./report.ts";

/** How long a retrieval takes to find a person. */
export async function looking(report: Report, people: number): Promise<void> {
  const { stdout } = await child("lookup.ts", "--people", String(people));
  for (const [name, milliseconds] of Object.entries(JSON.parse(stdout) as Record<string, number>))
    report.add(`lookup among ${people.toLocaleString("en-US")}`, name, "ms", milliseconds);
}
