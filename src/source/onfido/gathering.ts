import { HoldfastError, hasCode } from "../../core/error.ts";
import { broken } from "../answer.ts";
import type { AnswerHeaders } from "../answer-headers.ts";
import type { Call } from "../http.ts";
import type { Answer } from "../source.ts";
import { idsIn, parsed, parseMany, parseOne, type Resource, textWithoutSecrets } from "./answers.ts";
import {
  applicantCall,
  CHECKS,
  checksCall,
  consentsCall,
  type ListCall,
  MEDIA,
  matchesCall,
  mediaCall,
  monitorsCall,
  RUNS,
  reportsCall,
  runsCall,
  taskCall,
  tasksCall,
} from "./calls.ts";
import { comparable } from "./content.ts";
import { hasNext } from "./listing.ts";

/** Asks for an answer. */
export type Ask = (call: Call) => Promise<{ readonly text: string; readonly headers: AnswerHeaders }>;

/** Maximum characters of all answers of one dossier: they are in memory several times while they are sealed. */
const MAX_DOSSIER = 3 * 1024 * 1024;
/** Maximum requests for one dossier. A monitor adds a check for each match, over years. */
const MAX_REQUESTS = 400;
/** Onfido documents no size of a page of workflow runs; no page with more to come is as short as this. */
const SHORT_PAGE = 10;

const ALWAYS: ReadonlySet<string> = new Set([CHECKS, "GET /documents"]);

/** The media and documents of an applicant, by the plural that Onfido gives them. */
export type Plural = (typeof MEDIA)[number] | "documents";

/** All that Onfido answers about one applicant. */
export class Gathering {
  readonly answers: Answer[] = [];
  /** What the key may not read, in words of the API's documentation: for people. */
  readonly gaps = new Set<string>();
  readonly runs: Resource[] = [];
  readonly checks: Resource[] = [];
  readonly reports: Resource[] = [];
  readonly tasks: Resource[] = [];
  readonly monitors: Resource[] = [];
  readonly media = new Map<Plural, readonly Resource[]>();
  readonly consents: unknown[] = [];
  readonly #ask: Ask;
  readonly #compared: unknown[] = [];
  readonly #absent: string[] = [];
  #glance: unknown;
  #isAnyMissing = false;
  #missing: unknown;
  #requests = 0;
  #size = 0;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** What is compared. What the key may not read is part of it, so that a dossier changes when that is granted. */
  get content(): unknown {
    return comparable({ answers: this.#compared, absent: this.#absent });
  }

  /** How far Onfido is with the applicant, as `glanceAt` has it. */
  get glance(): unknown {
    return this.#glance;
  }

  async applicant(id: string, full: boolean): Promise<Resource> {
    const call = applicantCall(id);
    const text = (await this.#answer(call)).text;
    this.#keep(call, text);
    const applicant = parseOne(call.name, text, id);
    await this.#progress(id);
    if (full) await this.#rest(id);
    // The applicant itself may have gone meanwhile: what is left of it is no dossier.
    if (this.#isAnyMissing) await this.#answer(call);
    this.#refuseMissing();
    return applicant;
  }

  /** Only how far Onfido is with the applicant. */
  async glanceAt(id: string): Promise<unknown> {
    await this.#progress(id);
    if (this.#isAnyMissing) await this.#answer(applicantCall(id));
    this.#refuseMissing();
    return this.#glance;
  }

  #refuseMissing(): void {
    const cause = this.#missing;
    if (cause instanceof Error) throw new HoldfastError("source-response", cause.message, { cause });
  }

  /** Runs and checks. */
  async #progress(id: string): Promise<void> {
    const from = this.#compared.length;
    await this.#runs(id);
    this.checks.push(...((await this.#many(checksCall(id))) ?? []));
    this.#glance = comparable({ answers: this.#compared.slice(from), absent: [...this.#absent] });
  }

  async #rest(id: string): Promise<void> {
    const consents = consentsCall(id);
    const text = await this.#permitted(consents.call, "");
    if (text !== undefined) {
      parseMany(consents.call.name, text, null);
      this.#keep(consents.call, text);
      this.consents.push(...(parsed(consents.call.name, text) as unknown[]));
    }
    for (const { id: check } of this.checks)
      this.reports.push(...((await this.#many(reportsCall(check), check)) ?? []));
    for (const plural of ["documents", ...MEDIA] as const)
      this.media.set(plural, (await this.#many(mediaCall(plural, id))) ?? []);
    for (const { id: run } of this.runs)
      for (const { id: task } of (await this.#many(tasksCall(run), run)) ?? []) await this.#task(run, task);
    this.monitors.push(...((await this.#many(monitorsCall(id))) ?? []));
    for (const { id: monitor } of this.monitors) await this.#many(matchesCall(monitor), monitor);
  }

  async #runs(applicant: string): Promise<void> {
    const known = new Set<string>();
    for (let page = 1; ; page++) {
      const call = runsCall(applicant, page);
      const answer = await this.#answerIf(call, "");
      if (answer === undefined) return;
      const runs = parseMany(call.name, answer.text, null);
      refuseOthers(call, runs, "applicant_id", applicant);
      const fresh = runs.filter(({ id }) => !known.has(id));
      if (page > 1 && runs.length > 0 && fresh.length === 0) throw broken(RUNS, "a page was repeated");
      for (const { id } of fresh) known.add(id);
      this.#keep(call, answer.text);
      this.runs.push(...fresh);
      const goesOn = answer.headers.link === undefined ? runs.length >= SHORT_PAGE : hasNext(answer.headers);
      if (!goesOn) return;
    }
  }

  async #task(run: string, id: string): Promise<void> {
    const call = taskCall(run, id);
    const text = await this.#permitted(call, `${run} ${id}`);
    if (text === undefined) return;
    const task = parseOne(call.name, text, id);
    refuseOthers(call, [task], "workflow_run_id", run);
    // Its files are this run's, also where it does not say so.
    this.tasks.push({ ...task, said: { ...task.said, workflow_run_id: run } });
    this.#keep(call, text);
  }

  async #many({ call, key, owner }: ListCall, of = ""): Promise<readonly Resource[] | undefined> {
    const text = await this.#permitted(call, of);
    if (text === undefined) return undefined;
    const resources = parseMany(call.name, text, key);
    if (owner) refuseOthers(call, resources, owner.member, owner.id);
    this.#keep(call, text);
    return [...new Map(resources.map((resource) => [resource.id, resource])).values()];
  }

  #keep({ name }: Call, text: string): void {
    // Runs and their tasks have some, and checks the address of a form.
    const hasSecrets = name.startsWith(RUNS) || name === CHECKS;
    this.answers.push({ endpoint: name, text: hasSecrets ? textWithoutSecrets(text) : text });
    this.#compared.push({ [name]: parsed(name, text) });
  }

  async #permitted(call: Call, of: string): Promise<string | undefined> {
    return (await this.#answerIf(call, of))?.text;
  }

  /** What is gone, or a product that the account does not have, is left out. So is what the key may not read. */
  async #answerIf(call: Call, of: string): Promise<Awaited<ReturnType<Ask>> | undefined> {
    try {
      return await this.#answer(call);
    } catch (error) {
      if (hasCode(error, "source-missing")) {
        this.#isAnyMissing = true;
        // Every account has these, and answers with an empty list: without them a record would only seem whole.
        if (ALWAYS.has(call.name)) this.#missing ??= error;
      } else if (hasCode(error, "source-denied")) this.gaps.add(call.name);
      else throw error;
      this.#absent.push(`${call.name} ${of}`);
      return undefined;
    }
  }

  async #answer(call: Call): ReturnType<Ask> {
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) throw tooLarge(call, `one applicant has more than ${MAX_REQUESTS} parts`);
    const answer = await this.#ask(call);
    this.#size += answer.text.length;
    if (this.#size > MAX_DOSSIER) throw tooLarge(call, "the answers about one applicant are larger than 3 MiB");
    return answer;
  }
}

/** A server that passes over the filter would put one applicant's objects, and their files, into another's record. */
function refuseOthers({ name }: Call, resources: readonly Resource[], member: string, id: string): void {
  const isOther = resources.some(({ said }) => (said[member] ?? id) !== id);
  if (isOther) throw broken(name, `an object has another ${member}`);
}

function tooLarge({ name }: Call, what: string): HoldfastError {
  return new HoldfastError("source-response", `${name}: ${what}`);
}

/** The documents that reports of some kind name. */
export function documentsOf(reports: readonly Resource[], holds: (report: Resource) => boolean): ReadonlySet<string> {
  return new Set(reports.filter(holds).flatMap(({ said }) => idsIn(said.documents)));
}
