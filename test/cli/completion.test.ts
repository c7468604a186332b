import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { onPath } from "../servers/ceph.ts";
import { program } from "./program.ts";

const run = promisify(execFile);

/** A line up to the cursor, and the completions that a shell offers for it. */
const LINES: readonly [line: string, offered: readonly string[], not?: readonly string[]][] = [
  ["holdfast ", ["init", "export", "verify", "retention", "completion"], ["help"]],
  ["holdfast exp", ["export"], ["init"]],
  ["holdfast retention ", ["extend"], ["export"]],
  ["holdfast export --", ["--config", "--client", "--schedule", "--withheld"], ["--read-data"]],
  ["holdfast retention extend --c", ["--client", "--config"]],
  ["holdfast export --client ", ["acme-bank"], ["--config"]],
  ["holdfast verify --config two.yaml --client ", ["alpha", "beta"], ["acme-bank"]],
  ["holdfast verify -c two.yaml --client b", ["beta"], ["alpha"]],
  ["holdfast backfill --status ap", ["approved"], ["declined"]],
  ["holdfast open rec", ["record.age"]],
  ["holdfast open record.age --key off", ["officer key.txt"]],
  ["holdfast new --law ", ["eu-amlr", "own"], ["--client"]],
  ["holdfast completion ", ["bash", "zsh", "fish"]],
];

let folder: string;
const script = async (shell: string): Promise<string> => {
  const { code, stdout, stderr } = await program(["completion", shell]);
  assert.deepEqual([code, stderr], [0, ""]);
  const path = join(folder, `_${shell}`);
  await writeFile(path, stdout);
  return path;
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-completion-"));
  await mkdir(join(folder, "config"));
  await writeFile(join(folder, "config/holdfast.yaml"), "clients:\n  - id: acme-bank # ours\n    collect: full\n");
  await writeFile(join(folder, "two.yaml"), 'clients:\n- id: "alpha"\n- id: beta\n');
  for (const name of ["record.age", "officer key.txt"]) await writeFile(join(folder, name), "");
});
after(() => rm(folder, { recursive: true, force: true }));

/** Words as a shell may write them: with a space behind, with a backslash before one inside. */
const plain = (word: string): string => word.trimEnd().replaceAll("\\", "");

function check(line: string, found: readonly string[], offered: readonly string[], not: readonly string[] = []): void {
  const words = found.map(plain);
  for (const each of offered) assert.ok(words.includes(each), `${line}: no ${each} among ${words.join(", ")}`);
  for (const each of not) assert.ok(!words.includes(each), `${line}: ${each} does not belong there`);
}

test("bash", async () => {
  const path = await script("bash");
  for (const [line, offered, not] of LINES) {
    const words = line.split(" ");
    const array = words.map((word) => `'${word}'`).join(" ");
    const ask = `source ${path}; COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run("bash", ["-c", ask], { cwd: folder });
    check(line, stdout.split("\n"), offered, not);
  }
  const { stdout } = await run("bash", ["-c", `source ${path}; complete -p holdfast`]);
  assert.equal(stdout, "complete -F _holdfast holdfast\n");
});

test("fish", { skip: !onPath("fish") && "fish is not installed" }, async () => {
  const path = await script("fish");
  for (const [line, offered, not] of LINES) {
    const env = { ...process.env, HOME: folder };
    const { stdout } = await run("fish", ["-c", `source ${path}; complete -C'${line}'`], { cwd: folder, env });
    check(
      line,
      stdout.split("\n").map((each) => each.split("\t")[0]!),
      offered,
      not,
    );
  }
});

test("zsh", { skip: !onPath("zsh") && "zsh is not installed" }, async () => {
  const path = await script("zsh");
  // A line editor on a terminal of its own; a key writes down all that completion would insert.
  const inner = `
autoload -Uz compinit && compinit -u -d ${folder}/dump
source ${path}
compadd() {
  local -a __one
  # _describe asks it how wide words are, by -O: those are not offered yet.
  for ((i = 1; i <= $#; i++)); do [[ \${@[i]} == -O ]] && { builtin compadd "$@"; return; }; done
  builtin compadd -A __one "$@"
  print -rl -- $__one >> ${folder}/offered
  builtin compadd "$@"
}
zle -C offered list-choices _main_complete
bindkey '^X' offered
tell() { print -r -- END >> ${folder}/offered }
zle -N tell
bindkey '^Y' tell
PS1='ready> '
`;
  await writeFile(join(folder, ".zshrc"), inner);
  for (const [line, offered, not] of LINES) {
    await rm(join(folder, "offered"), { force: true });
    const outer = `
zmodload zsh/zpty
zpty -b z "cd ${folder} && ZDOTDIR=${folder} TERM=dumb zsh -i"
zpty -r -m z out '*ready>*'
zpty -w -n z ${JSON.stringify(line)}$'\\x18'$'\\x19'
for i in {1..3000}; do [[ -f ${folder}/offered ]] && grep -q END ${folder}/offered && break; sleep 0.02; done
zpty -d z
cat ${folder}/offered`;
    const { stdout } = await run("zsh", ["-f", "-c", outer], { cwd: folder, timeout: 120_000 });
    check(line, stdout.split("\n"), offered, not);
  }
});

describe("the command", () => {
  test("another shell: exit 2, and the three are named", async () => {
    const ended = await program(["completion", "tcsh"]);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /bash, zsh, fish/);
  });
});
