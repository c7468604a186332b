import { HoldfastError, hasCode } from "../../core/error.ts";
import type { Call } from "../http.ts";
import { PageCursor } from "../page-cursor.ts";
import type { Answer } from "../source.ts";
import {
  type Members,
  parseReports,
  parseSession,
  textWithoutSecrets,
  type VerificationReport,
  type VerificationSession,
  withoutSecrets,
} from "./answers.ts";
import {
  type Depth,
  REPORTS,
  reportsCall,
  SENSITIVE_OUTPUTS,
  SENSITIVE_REPORT,
  SESSION,
  sessionCall,
} from "./calls.ts";
import type { SensitiveRight } from "./sensitive-right.ts";

/** Asks for the text of an answer. */
export type Ask = (call: Call) => Promise<string>;

/** Maximum characters of all answers of one dossier: they are in memory several times while they are sealed. */
const MAX_DOSSIER = 3 * 1024 * 1024;

/** An answer, and how much it was asked for. */
interface Shown {
  readonly text: string;
  readonly depth: Depth;
}

/** All that Stripe answers about one session: itself, and the reports of all attempts. */
export class Gathering {
  readonly answers: Answer[] = [];
  readonly reports: VerificationReport[] = [];
  /** What the dossier lacks, in words of the API's documentation: for people. */
  readonly gaps = new Set<string>();
  readonly #ask: Ask;
  readonly #right: SensitiveRight;
  #session: Members = {};
  readonly #pages: unknown[] = [];
  #size = 0;

  constructor(ask: Ask, right: SensitiveRight) {
    this.#ask = ask;
    this.#right = right;
  }

  /** A right that the key gets or loses changes it: members are there or not. */
  get content(): unknown {
    return { session: withoutSecrets(this.#session), reports: this.#pages };
  }

  async session(id: string, full: boolean): Promise<VerificationSession> {
    const { text, depth } = full ? await this.#fullest(id) : await this.#at(id, "minimal");
    const session = parseSession(text, id);
    this.answers.push({ endpoint: SESSION, text: textWithoutSecrets(text) });
    this.#session = session.members;
    // Once someone asked for a redaction, Holdfast reads no more of the person, and keeps what it has.
    if (!full || session.redacted) return session;
    this.#note("verified_outputs", session.members.verified_outputs, SENSITIVE_OUTPUTS);
    await this.#reportsOf(id, depth);
    return session;
  }

  /** With sensitive results if the key may see them. Where refusals are expected, without them first. */
  async #fullest(id: string): Promise<Shown> {
    const isLikely = this.#right.isLikely;
    const first = isLikely ? await this.#sensitive(id) : undefined;
    if (first) return first;
    const plain = await this.#at(id, "plain");
    const { updated } = parseSession(plain.text, id);
    if (!isLikely) {
      if (!this.#right.isWorthAsking(updated)) return plain;
      const all = await this.#sensitive(id);
      if (all) return all;
    }
    this.#right.note(updated, false);
    return plain;
  }

  /**
   * Undefined if the key may not see them. Stripe's documentation does not say how it refuses sensitive results, so both
   * statuses mean that.
   */
  async #sensitive(id: string): Promise<Shown | undefined> {
    try {
      const all = await this.#at(id, "all");
      this.#right.note(parseSession(all.text, id).updated, true);
      return all;
    } catch (error) {
      if (!hasCode(error, "source-denied", "source-rejected")) throw error;
      return undefined;
    }
  }

  async #at(id: string, depth: Depth): Promise<Shown> {
    return { text: await this.#text(sessionCall(id, depth)), depth };
  }

  async #reportsOf(session: string, depth: Depth): Promise<void> {
    const walk = new PageCursor(REPORTS);
    do {
      const text = await this.#part(session, walk.cursor, depth);
      const { reports, more, frame } = parseReports(text, session);
      this.#pages.push(frame);
      this.answers.push({ endpoint: REPORTS, text });
      this.reports.push(...reports);
      walk.advance(more ? reports.at(-1)!.id : null, reports.at(0)?.id);
    } while (walk.cursor !== null);
    for (const { members } of this.reports)
      for (const [part, names] of Object.entries(SENSITIVE_REPORT)) this.#note(part, members[part], names);
  }

  /** An answer without reports means that the session went meanwhile, or that the answer is wrong. */
  async #part(session: string, after: string | null, depth: Depth): Promise<string> {
    try {
      const depths: readonly Depth[] = depth === "all" ? ["all", "plain"] : ["plain"];
      return await this.#permitted(depths.map((each) => reportsCall(session, after, each)));
    } catch (error) {
      if (!hasCode(error, "source-missing", "source-rejected")) throw error;
      await this.#ask(sessionCall(session, "minimal"));
      if (hasCode(error, "source-rejected")) throw error;
      throw new HoldfastError(
        "source-response",
        `${REPORTS}: Stripe has the session, but refuses to list its reports`,
        {
          cause: error,
        },
      );
    }
  }

  /** The first of these answers that the key may read: earlier attempts may be too old for it. */
  async #permitted([call, ...others]: readonly Call[]): Promise<string> {
    try {
      return await this.#text(call!);
    } catch (error) {
      if (others.length === 0 || !hasCode(error, "source-denied", "source-rejected")) throw error;
      return this.#permitted(others);
    }
  }

  /** A sensitive member is missing if the key may not see it, whether Stripe refused it or left it out. */
  #note(part: string, value: unknown, names: readonly string[]): void {
    if (typeof value !== "object" || value === null) return;
    for (const name of names) if (!Object.hasOwn(value, name)) this.gaps.add(`${part}.${name}`);
  }

  async #text(call: Call): Promise<string> {
    const text = await this.#ask(call);
    this.#size += text.length;
    if (this.#size <= MAX_DOSSIER) return text;
    throw new HoldfastError("source-response", `${call.name}: the answers about one session are larger than 3 MiB`);
  }
}
