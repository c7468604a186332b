import { type ErrorCode, HoldfastError, hasCode } from "../../core/error.ts";
import { broken, object, plainId } from "../answer.ts";
import type { Call } from "../http.ts";
import type { Answer } from "../source.ts";
import {
  type Attempt,
  type Decision,
  type Medium,
  parseAttempts,
  parseDecision,
  parsed,
  parseMedia,
} from "./answers.ts";
import {
  attemptsCall,
  decisionCall,
  mediaCall,
  PERSON,
  personCall,
  REGISTRIES,
  registryCall,
  WATCHLIST,
  watchlistCall,
} from "./calls.ts";
import { comparable, comparableAttempts, comparableMedia } from "./content.ts";
import { SIGNATURE } from "./signature.ts";

/** Asks for an answer, whose signature is checked. */
export type Ask = (call: Call) => Promise<{ readonly text: string; readonly signature: string | null }>;

/** Maximum characters of all answers of one dossier: they are in memory several times while they are sealed. */
const MAX_DOSSIER = 3 * 1024 * 1024;
const MAX_REQUESTS = 400;

/** While there is no result, Veriff refuses what is not ready (400 with codes 1305 and 1306). */
const NOT_READY: readonly ErrorCode[] = ["source-rejected"];
/** Integrations without screening, or without a registry, are refused; the documentation does not say with what status. */
const NOT_USED: readonly ErrorCode[] = ["source-rejected", "source-denied", "source-missing"];

/** All that Veriff answers about one session. */
export class Gathering {
  /** What the key may not read, in words of the API's documentation: for people. */
  readonly gaps = new Set<string>();
  attempts: readonly Attempt[] = [];
  /** The media of each attempt. */
  readonly media = new Map<string, readonly Medium[]>();
  person: Readonly<Record<string, unknown>> = {};
  watchlist: unknown = null;
  readonly #ask: Ask;
  readonly #answers: Answer[] = [];
  readonly #signatures: (string | null)[] = [];
  readonly #compared: Record<string, unknown> = {};
  readonly #absent: string[] = [];
  #glance: unknown;
  #isAnyMissing = false;
  #requests = 0;
  #size = 0;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** The answers, and last their signatures, in the same order: evidence of who gave them. */
  get answers(): readonly Answer[] {
    if (this.#signatures.every((signature) => signature === null)) return this.#answers;
    return [...this.#answers, { endpoint: SIGNATURE, text: JSON.stringify(this.#signatures) }];
  }

  /** Answers without a signature, by their endpoints, and how many have one. */
  get signing(): { readonly signed: number; readonly unsigned: readonly string[] } {
    const unsigned = this.#answers.filter((_, at) => this.#signatures[at] === null).map(({ endpoint }) => endpoint);
    return { signed: this.#answers.length - unsigned.length, unsigned };
  }

  /** What is compared. What could not be read is part of it, so that a dossier changes when it can. */
  get content(): unknown {
    return comparable({ ...this.#compared, absent: this.#absent });
  }

  /** How far Veriff is with the session. */
  get glance(): unknown {
    return this.#glance;
  }

  async session(id: string, full: boolean): Promise<Decision> {
    const call = decisionCall(id);
    const decision = parseDecision(await this.#text(call), id);
    this.#compared[call.name] = decision.members;
    await this.#attemptsOf(id, decision);
    this.#glance = this.content;
    if (full) await this.#rest(id, decision);
    // The session itself may have gone meanwhile: what is left of it is no dossier.
    if (this.#isAnyMissing) await this.#ask(call);
    return decision;
  }

  async #attemptsOf(id: string, { verification }: Decision): Promise<void> {
    const call = attemptsCall(id);
    const text = await this.#textIf(call, "", []);
    if (text !== undefined) {
      const { attempts, members } = parseAttempts(text);
      this.attempts = attempts;
      this.#compared[call.name] = comparableAttempts(members, attempts);
    }
    const last = plainId.safeParse(verification?.attemptId).data;
    if (last === undefined || this.attempts.some(({ id: known }) => known === last)) return;
    // A list of attempts without the decided one is another session's.
    if (text !== undefined) throw broken(call.name, "the attempt of the decision is not in the list");
    this.attempts = [...this.attempts, { id: last, created: null, members: {} }];
  }

  async #rest(id: string, { verification }: Decision): Promise<void> {
    const tolerated = verification === null ? NOT_READY : [];
    for (const { id: attempt } of this.attempts) {
      const call = mediaCall(attempt);
      const text = await this.#textIf(call, attempt, tolerated);
      if (text === undefined) continue;
      const { media, members } = parseMedia(text, id);
      this.media.set(attempt, media);
      this.#compared[`${call.name} ${attempt}`] = comparableMedia(members);
    }
    const person = personCall(id);
    const about = await this.#textIf(person, "", tolerated);
    if (about !== undefined) this.person = personIn(this.#read(person, about), id);
    const screening = watchlistCall(id);
    const screened = await this.#textIf(screening, "", NOT_USED);
    if (screened !== undefined) this.watchlist = screeningIn(this.#read(screening, screened), id);
    if (verification !== null && isPerhapsMexican(verification)) await this.#registries(id);
  }

  /** A refusal is no part of the content: most integrations have no such check. */
  async #registries(id: string): Promise<void> {
    for (const registry of REGISTRIES) {
      const call = registryCall(id, registry);
      try {
        this.#read(call, await this.#text(call));
      } catch (error) {
        if (!hasCode(error, ...NOT_USED)) throw error;
      }
    }
  }

  #read({ name }: Call, text: string): unknown {
    const value = parsed(name, text);
    this.#compared[name] = value;
    return value;
  }

  /** What is gone, or not ready, is left out. So is what the key may not read. */
  async #textIf(call: Call, of: string, tolerated: readonly ErrorCode[]): Promise<string | undefined> {
    try {
      return await this.#text(call);
    } catch (error) {
      if (!hasCode(error, ...tolerated)) {
        if (hasCode(error, "source-missing")) this.#isAnyMissing = true;
        else if (hasCode(error, "source-denied")) this.gaps.add(call.name);
        else throw error;
      }
      this.#absent.push(`${call.name} ${of}`);
      return undefined;
    }
  }

  async #text(call: Call): Promise<string> {
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) throw tooLarge(call, `one session has more than ${MAX_REQUESTS} parts`);
    const { text, signature } = await this.#ask(call);
    this.#size += text.length;
    if (this.#size > MAX_DOSSIER) throw tooLarge(call, "the answers about one session are larger than 3 MiB");
    this.#answers.push({ endpoint: call.name, text });
    this.#signatures.push(signature);
    return text;
  }
}

/** Where no document was read, the registry was asked for what the person was said to be. */
function isPerhapsMexican({ document, status }: Readonly<Record<string, unknown>>): boolean {
  const { country } = object(document);
  if (typeof country === "string" && country !== "") return ["MX", "MEX"].includes(country);
  return status === "approved" || status === "declined";
}

/** The names in it may be those that the client gave, and differ from what was read: only a session's id tells whose it is. */
function personIn(answer: unknown, session: string): Readonly<Record<string, unknown>> {
  const person = object(object(answer).person);
  for (const { sessionId = session } of [object(answer), person])
    if (sessionId !== session && sessionId !== null) throw broken(PERSON, "the answer is for another session");
  return person;
}

function screeningIn(answer: unknown, session: string): unknown {
  const data = object(answer).data ?? null;
  const { sessionId = session } = object(data);
  if (sessionId !== session && sessionId !== null) throw broken(WATCHLIST, "the answer is for another session");
  return data;
}

function tooLarge({ name }: Call, what: string): HoldfastError {
  return new HoldfastError("source-response", `${name}: ${what}`);
}
