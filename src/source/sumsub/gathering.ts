import { HoldfastError, hasCode } from "../../core/error.ts";
import { broken, list, object, word } from "../answer.ts";
import type { Call } from "../http.ts";
import type { Answer } from "../source.ts";
import { idOf, type Members, parseApplicant, parsed, parseItems, parseObject } from "./answers.ts";
import {
  AML_CASE,
  actionsCall,
  allDocsCall,
  amlCall,
  applicantCall,
  CHECK_TYPES,
  CHECKS,
  COMPANY_CHECK,
  checkCall,
  historyCall,
  IMAGES,
  imagesCall,
  inspectionCall,
  moderationCall,
  statusCall,
  stepsCall,
} from "./calls.ts";
import { comparable } from "./content.ts";
import { hasBegun } from "./state.ts";

/** Asks for the text of an answer. */
export type Ask = (call: Call) => Promise<string>;

/** Whether AML cases are asked for. Once one is refused, the others would be too, and each would wait for its turn. */
export interface Aml {
  readonly isUsed: boolean;
  isRefused: boolean;
}

/** What may say only that there is no such answer. */
type Absence = "source-missing" | "source-rejected";

/** Maximum characters of all answers of one dossier: they are in memory several times while they are sealed. */
const MAX_DOSSIER = 3 * 1024 * 1024;
/** Actions per page, and pages: one applicant may have many over years. */
const PAGE = 100;
const MAX_PAGES = 100;

/** All that Sumsub answers about one applicant. */
export class Gathering {
  readonly answers: Answer[] = [];
  /** What the token may not read, in words of the API's documentation: for people. */
  readonly gaps = new Set<string>();
  images: readonly Members[] = [];
  readonly actions: Members[] = [];
  inspection: Members = {};
  amlCase: Members | null = null;
  /** The answer to the check of the network address. */
  network: Members = {};
  readonly #ask: Ask;
  readonly #aml: Aml;
  readonly #compared: Members[] = [];
  readonly #absent: string[] = [];
  /** Whom all answers must be about. */
  #id = "";
  #isMissing = false;
  #size = 0;

  constructor(ask: Ask, aml: Aml) {
    this.#ask = ask;
    this.#aml = aml;
  }

  /** What is compared. What the token may not read is part of it, so that a dossier changes when that is granted. */
  get content(): unknown {
    return comparable({ answers: this.#compared, absent: this.#absent });
  }

  /** The same as it is with `aml: false`. */
  get contentWithoutAml(): unknown {
    return comparable({
      answers: this.#compared.filter((answer) => !(AML_CASE in answer)),
      absent: this.#absent.filter((name) => name !== AML_CASE),
    });
  }

  async applicant(id: string, full: boolean): Promise<Members> {
    this.#id = id;
    const call = applicantCall(id);
    const text = await this.#answer(call);
    const applicant = applicantIn(text, id);
    this.#keep(call, text);
    if (full) await this.#rest(id, applicant);
    // The applicant itself may have gone meanwhile: what is left of it is no dossier.
    if (this.#isMissing) await this.#answer(call);
    return applicant;
  }

  /** First and last is what every applicant has: its absence says that the applicant is gone. */
  async #rest(id: string, applicant: Members): Promise<void> {
    await this.#object(historyCall(id), parseItems);
    for (const call of [statusCall(id), stepsCall(id), moderationCall(id)]) await this.#object(call, parseObject);
    await this.#amlCase(id, applicant);
    await this.#checks(id, applicant);
    await this.#optional(allDocsCall(id));
    await this.#actions(id);
    const inspection = idOf(applicant.inspectionId);
    if (inspection !== undefined) {
      const call = inspectionCall(inspection);
      this.inspection = (await this.#optional(call)) ?? {};
      refuseOther(call, this.inspection.id, inspection);
    }
    await this.#images(id);
  }

  /** Who sent nothing yet was not screened. A case that is not there is the answer. */
  async #amlCase(id: string, applicant: Members): Promise<void> {
    if (!this.#aml.isUsed || !hasBegun(applicant)) return;
    const call = amlCall(id);
    if (this.#aml.isRefused) {
      this.#lacks(call);
      return;
    }
    this.amlCase = (await this.#optional(call)) ?? null;
    const { targetEntityType, targetEntityId } = this.amlCase ?? {};
    if (targetEntityType === "applicant") refuseOther(call, targetEntityId, id);
    this.#aml.isRefused = this.gaps.has(call.name);
  }

  async #checks(id: string, applicant: Members): Promise<void> {
    const types = word(applicant.type) === "company" ? [...CHECK_TYPES, COMPANY_CHECK] : CHECK_TYPES;
    for (const type of types) {
      const call = checkCall(id, type);
      // Sumsub documents no list of kinds, and may refuse one.
      const answer = await this.#optional(call, "source-rejected");
      if (type === "IP_CHECK") this.network = answer ?? {};
      if (this.gaps.has(call.name)) {
        // One right is for all of them.
        this.gaps.delete(call.name);
        this.gaps.add(CHECKS);
      }
    }
  }

  async #actions(id: string): Promise<void> {
    const known = new Set<string>();
    for (let page = 0; page < MAX_PAGES; page++) {
      const call = actionsCall(id, PAGE, page * PAGE);
      const text = await this.#permitted(call);
      if (text === undefined) return;
      const items = parseItems(call.name, text);
      const fresh = items.filter((action) => {
        const named = idOf(action.id);
        return named !== undefined && !known.has(named);
      });
      for (const action of fresh) known.add(idOf(action.id)!);
      if (page > 0 && items.length > 0 && fresh.length === 0) throw broken(call.name, "a page was repeated");
      this.#keep(call, text);
      this.actions.push(...fresh);
      if (items.length < PAGE) return;
    }
    throw broken("GET /resources/applicantActions", `one applicant has more than ${MAX_PAGES * PAGE} actions`);
  }

  async #images(id: string): Promise<void> {
    const call = imagesCall(id);
    const text = await this.#permitted(call);
    if (text === undefined) return;
    this.images = parseItems(call.name, text);
    this.#keep(call, text);
    // Sumsub documents no pages of this list.
    const { totalItems: total } = parseObject(call.name, text);
    if (typeof total === "number" && total > this.images.length) this.gaps.add(`${IMAGES}, beyond its first page`);
  }

  /** An answer that not every applicant has, and that not every account can have. */
  #optional(call: Call, ...absent: readonly Absence[]): Promise<Members | undefined> {
    return this.#object(call, parseObject, "source-missing", ...absent);
  }

  async #object<T>(
    call: Call,
    parse: (name: string, text: string) => T,
    ...absent: readonly Absence[]
  ): Promise<T | undefined> {
    const text = await this.#permitted(call, ...absent);
    if (text === undefined) return undefined;
    const answer = parse(call.name, text);
    this.#keep(call, text);
    return answer;
  }

  /** What the token may not read is left out. @param absent codes that say only that it does not exist */
  async #permitted(call: Call, ...absent: readonly Absence[]): Promise<string | undefined> {
    try {
      return await this.#answer(call);
    } catch (error) {
      if (hasCode(error, ...absent)) this.#absent.push(call.name);
      else if (hasCode(error, "source-denied")) this.#lacks(call);
      else if (hasCode(error, "source-missing")) {
        this.#isMissing = true;
        this.#absent.push(call.name);
      } else throw error;
      return undefined;
    }
  }

  #lacks({ name }: Call): void {
    this.gaps.add(name);
    this.#absent.push(name);
  }

  #keep(call: Call, text: string): void {
    const { name } = call;
    const answer = parsed(name, text);
    for (const { applicantId } of partsOf(answer)) refuseOther(call, applicantId, this.#id);
    this.#compared.push({ [name]: answer });
    this.answers.push({ endpoint: name, text });
  }

  async #answer(call: Call): Promise<string> {
    const text = await this.#ask(call);
    this.#size += text.length;
    if (this.#size <= MAX_DOSSIER) return text;
    throw new HoldfastError("source-response", `${call.name}: the answers about one applicant are larger than 3 MiB`);
  }
}

/** An answer and its elements. What is deeper may name others: who looks alike, who owns a company. */
function partsOf(answer: unknown): Members[] {
  const whole = object(answer);
  return [whole, ...[answer, whole.items, whole.checks, object(whole.list).items].flatMap(list).map(object)];
}

/** An answer, or a part of one, that names someone else. */
function refuseOther({ name }: Call, named: unknown, id: string): void {
  if (typeof named === "string" && named !== id) throw broken(name, "the answer is for another applicant");
}

/** The applicant that was asked for. */
export function applicantIn(text: string, id: string): Members {
  const { name } = applicantCall(id);
  const applicant = parseApplicant(name, text);
  if (applicant.id === id) return applicant;
  throw broken(name, "the answer is for another applicant");
}
