/**
 * Keeps the phrases out that docs/STYLE.md refuses: in code, comments, documents, pages and configuration alike.
 * Prints file:line and the phrase, and ends with 1 where there is one.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const REFUSED: readonly RegExp[] = [
  /\bmend(s|ed|ing)?\b/i,
  /\b(to|cannot|could not|can) be had\b/i,
  /\b(is|are|was|were) none\b/i,
  /\b(is|are|was|were) (not )?to be [a-z]+(ed|en|ade|aid|ept|old|ent|own|et)\b/i,
  /\b(stand|stands|stood)\b(?! for\b| out\b|-)/i,
  /\banew\b/i,
  /\bfor ever\b/i,
  /\b(whoever|whichever|whomever)\b/i,
  /\b(somebody|anybody|nobody|everybody)\b/i,
  /\btold to\b/i,
  /\bown word\b/i,
  /\bon (a|another) way\b/i,
  /\basks? for attention\b/i,
  /\b(give|gives|gave|giving) way\b/i,
  /\bin no one's way\b/i,
  /\b(come|comes|came|coming) to (its|an|no|their) end\b/i,
  /\b(take|takes|took|taken) up\b/i,
  /\bat hand\b/i,
  /\bmust no one\b|\bno one must\b/i,
  /\bbe it\b/i,
  /\bas it was made\b/i,
];

/** The list itself is in these two; what comes from outside is not ours to word. */
const EXEMPT =
  /^(docs\/STYLE\.md|test\/dependencies\/phrases\.ts|package-lock\.json|test\/vectors\/|src\/viewer\/viewer\.html|release\/.*-licence\.txt|LICENSE)/;
const TEXT = /\.(ts|md|yaml|json|html|css|cjs|service|timer)$|Dockerfile$|^\.ci\/run$/;

const folders = process.argv.slice(2);
const files = execFileSync("git", ["ls-files", "-z", "--", ...folders], { encoding: "utf8" })
  .split("\0")
  .filter((path) => TEXT.test(path) && !EXEMPT.test(path));

let found = 0;
for (const path of files) {
  for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
    for (const phrase of REFUSED) {
      const [hit] = phrase.exec(line) ?? [];
      if (hit === undefined) continue;
      found += 1;
      console.error(`${path}:${index + 1}: "${hit}", see docs/STYLE.md`);
    }
  }
}
if (found > 0) {
  console.error(`${found} refused phrases in ${files.length} files`);
  process.exitCode = 1;
}
