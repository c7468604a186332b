import { type HoldfastError, ownError } from "../core/error.ts";
import type { ConfigPlace } from "./first-checks.ts";
import type { AnswerName, ConfigAnswers } from "./first-config.ts";
import { QUESTIONS, type Question } from "./first-questions.ts";

export interface AnsweredQuestions {
  readonly answers: ConfigAnswers;
  /** Unanswered questions that have no default. */
  readonly missing: readonly Question[];
  /** Invalid answers, each with its question; `error` is undefined if the question does not apply. */
  readonly problems: readonly { readonly question: Question; readonly error: HoldfastError | undefined }[];
}

/** Asks a person: returns an answer that passes `check`, or the default. */
export type Ask = (question: Question, byDefault: string | undefined, check: AnswerCheck) => Promise<string>;
export type AnswerCheck = (text: string) => Promise<void>;

/** Goes through all questions. An answer is the given one, else the one from `ask`, else the default. */
export async function answerAll(given: ConfigAnswers, place: ConfigPlace, ask?: Ask): Promise<AnsweredQuestions> {
  const answers: Partial<Record<AnswerName, string>> = {};
  const missing: Question[] = [];
  const problems: AnsweredQuestions["problems"][number][] = [];
  for (const question of QUESTIONS) {
    // Do not ask more if the answers will be refused anyway.
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
    } else if (ask) answers[name] = await ask({ ...question, ...question.inWordsFor?.(answers) }, byDefault, check);
    else if (byDefault === undefined) {
      if (applies) missing.push(question);
    } else {
      // A default folder must fit the other answers too.
      const error = byDefault === "" ? undefined : await refusal(() => check(byDefault));
      if (error) problems.push({ question, error });
      else answers[name] = byDefault;
    }
  }
  return { answers, missing, problems };
}

/** The error of a check; undefined if it passes. */
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
