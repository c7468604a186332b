/** A command of a shell block, without what the shell does with it: `holdfast verify --json | jq …` is `[verify, --json]`. */
export interface Line {
  readonly text: string;
  readonly words: readonly string[];
}

/** The lines that call `holdfast`, in a checkout and in a container too. */
export function holdfastLines(block: string): Line[] {
  return block
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .flatMap((text) => {
      const [, rest] = /^\s*(?:\$ )?(?:npx |sudo )?holdfast (.*)$/.exec(text) ?? [];
      return rest === undefined ? [] : [{ text, words: wordsOf(rest) }];
    });
}

/** Up to a pipe, a redirection, another command or a remark. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&<>#\\]|(?<=\S)#)+|[|;&<>#]/g)) {
    if (/^[|;&<>#]$/.test(word)) break;
    words.push(word.replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/g, (_, one = "", two = "", three = "") => one + two + three));
  }
  return words;
}
