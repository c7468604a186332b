/** What a group of data points is. */
interface Part {
  readonly heading: string;
  /** What the provider calls it, if that says more than the heading. */
  readonly rest: string | undefined;
  readonly repeats: boolean;
}

/** Kinds that providers put before a slash: `verification/selfie`. Only a document is the first to say something. */
const KINDS = { verification: "Verification", document: "Document", inquiry: "Inquiry", account: "Account" } as const;

/** Whole words of providers for what is no document. */
const WHOLE: Readonly<Record<string, string>> = {
  applicant: "Applicant",
  person: "Person",
  additional: "Additional data",
  nfc: "Chip of the document",
  verified_outputs: "What the provider verified",
  id_number: "ID number",
  email: "E-mail",
  phone: "Phone",
};
/** Kinds of ID numbers that are no documents. */
const NUMBERS = new Set(["ssn", "social_insurance", "tax_id", "share_code", "voter_id"]);

/** Any other word is a document's. */
export function partOf(word = ""): Part {
  const [, kind = "", rest] = /^([a-z]+)(?:\/(.+))?$/.exec(word) ?? [];
  if (Object.hasOwn(KINDS, kind))
    return { heading: KINDS[kind as keyof typeof KINDS], rest, repeats: kind !== "document" };
  if (Object.hasOwn(WHOLE, word)) return { heading: WHOLE[word]!, rest: undefined, repeats: true };
  if (NUMBERS.has(word)) return { heading: "ID number", rest: word, repeats: true };
  return { heading: "Document", rest: word === "" ? undefined : word, repeats: false };
}
