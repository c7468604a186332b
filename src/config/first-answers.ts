import { type HoldfastError, ownError } from "../core/error.ts";
import type { Place } from "./first-checks.ts";
import type { AnswerName, Answers } from "./first-config.ts";
import { QUESTIONS, type Question } from "./first-questions.ts";

export interface Answered {
  readonly answers: Answers;
  /** Questions that have no default, and got no answer. */
  readonly missing: readonly Question[];
  /** What cannot be taken, each with the flag that gave it. */
  readonly problems: readonly { readonly question: Question; readonly error: HoldfastError | undefined }[];
}

/** Someone who answers: gives what is right, by `check`, or the default. */
export type Ask = (question: Question, byDefault: string | undefined, check: Check) => Promise<string>;
export type Check = (text: string) => Promise<void>;

/** Goes through all questions: an answer is what was given, then what `ask` says, then the default. */
export async function answerAll(given: Answers, place: Place, ask?: Ask): Promise<Answered> {
  const answers: Partial<Record<AnswerName, string>> = {};
  const missing: Question[] = [];
  const problems: Answered["problems"][number][] = [];
  for (const question of QUESTIONS) {
    // No one is asked more where it comes to nothing.
    if (ask && problems.length > 0) break;
    const { name } = question;
    const applies = question.onlyFor ? question.onlyFor.are(answers) : true;
    const text = given[name];
    if (text !== undefined && applies === false) problems.push({ question, error: undefined });
    if (applies === false) continue;
    const check = async (answer: string) => void (await question.check(answer, answers, place));
    const byDefault = question.byDefault?.(answers, place);
    if (text !== undefined) {
      const error = await refusal(() => check(text));
      if (error) problems.push({ question, error });
      else answers[name] = text;
    } else if (ask) answers[name] = await ask(question, byDefault, check);
    else if (byDefault === undefined) {
      if (applies) missing.push(question);
    } else {
      // A folder that is taken where nothing is said has to fit the answers too.
      const error = byDefault === "" ? undefined : await refusal(() => check(byDefault));
      if (error) problems.push({ question, error });
      else answers[name] = byDefault;
    }
  }
  return { answers, missing, problems };
}

/** Why a check does not take an answer. */
export async function refusal(work: () => Promise<void>): Promise<HoldfastError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const own = ownError(error);
    if (!own) throw error;
    return own;
  }
}
