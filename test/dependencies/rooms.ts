import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/**
 * What each folder of the program may import besides itself: only folders that are above it here, so that nothing leads
 * back. A new folder is a new line. `npm run check` holds the code to it.
 */
const ROOMS: Readonly<Record<string, string>> = {
  core: "",
  provider: "",
  io: "core",
  net: "core",
  page: "core",
  approval: "core",
  state: "io",
  config: "core provider io net",
  observe: "core io net",
  seal: "core config",
  source: "core provider io net config",
  vault: "core io net config",
  record: "core io config seal vault",
  audit: "core io net vault",
  catalog: "core io vault audit",
  inbox: "core io net config record",
  held: "core config record vault audit catalog",
  retention: "core approval config vault audit catalog held",
  notes: "core seal vault catalog held retention",
  export: "core config observe seal record source vault audit catalog inbox held retention",
  backfill: "core io config observe seal source catalog export",
  workers: "core config observe seal source vault audit catalog retention export",
  report: "core provider config observe page audit catalog retention",
  letter: "observe page retention report",
  certificate: "core io config observe page vault audit catalog retention report",
  verify: "core io config seal record vault audit catalog retention",
  bulk: "core io config vault catalog retention verify",
  bag: "core approval io config seal record vault audit catalog held notes",
  viewer: "core provider approval seal record vault audit bag",
  doctor: "core provider io config net observe record source vault audit catalog inbox retention workers report",
  session:
    "core provider io config observe seal record source vault audit catalog held inbox retention state export report certificate verify bag workers",
  people: "core io config observe record catalog retention session",
  cli: "core provider approval io config observe audit bag doctor session people",
  jobs: "*",
};

const root = join(import.meta.dirname, "../..");
/** As Biome formats them: each import has its module's name in double quotes, after `from` or in `import(…)`. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)"/g;

const wrong = [...modules("src"), ...modules("jobs")].flatMap((file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(IMPORT)].flatMap(([, to]) =>
    mistake(file, normalize(join(dirname(file), to!))),
  ),
);
const names = Object.keys(ROOMS);
for (const [index, name] of names.entries()) {
  const may = ROOMS[name]!;
  if (may === "*") continue;
  const used = new Set(modules(join("src", name)).flatMap((file) => roomsUsedBy(file)));
  for (const each of may.split(" ")) {
    if (each === "") continue;
    if (!names.slice(0, index).includes(each)) wrong.push(`${name} may import ${each}, which is not above it`);
    if (!used.has(each)) wrong.push(`${name} imports nothing of ${each}: take it off its line`);
  }
}
const described = readFileSync(join(root, "docs/ARCHITECTURE.md"), "utf8");
for (const name of names) {
  if (!described.includes(`\`${name}/\``)) wrong.push(`docs/ARCHITECTURE.md does not say what ${name}/ holds`);
}
for (const each of wrong) console.error(each);
if (wrong.length > 0) {
  console.error(`${wrong.length} against the table of folders in ${relative(root, import.meta.filename)}`);
  process.exitCode = 1;
}

function modules(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(".ts") && statSync(join(root, name)).isFile());
}

function mistake(from: string, to: string): string[] {
  const [at, aim] = [roomOf(from), roomOf(to)];
  if (ROOMS[at] === undefined) return [`${from} is in no folder of the table`];
  if (at === aim || aim === "package.json") return [];
  if (ROOMS[aim] === undefined) return [`${from} imports ${to}, which is in no folder of the table`];
  const may = ROOMS[at];
  return may === "*" || may.split(" ").includes(aim) ? [] : [`${from} imports ${to}: ${at} may not import ${aim}`];
}

function roomsUsedBy(file: string): string[] {
  return [...readFileSync(join(root, file), "utf8").matchAll(IMPORT)].map(([, to]) =>
    roomOf(normalize(join(dirname(file), to!))),
  );
}

/** `src/vault/s3.ts` is in `vault`, `jobs/export.ts` in `jobs`; files in `src` itself are in `src`, which is not a room. */
function roomOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "src" && parts.length > 2 ? parts[1]! : parts[0]!;
}
