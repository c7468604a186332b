/** What providers call things, in words that a person reads: names that are not words yet, by their small letters. */
const WORDS: Readonly<Record<string, string>> = {
  dob: "Date of birth",
  birthdate: "Date of birth",
  email: "E-mail",
  "email address": "E-mail",
  "name first": "First name",
  "name middle": "Middle name",
  "name last": "Last name",
  "name suffix": "Suffix of the name",
  "native name first": "First name in its own script",
  "native name middle": "Middle name in its own script",
  "native name last": "Last name in its own script",
  "unparsed sex": "Sex, as printed",
  "unparsed place of birth": "Place of birth, as printed",
};

/** `date_of_birth`, `DRIVERS_LICENSE` and `firstName` to words. */
export function label(name: string): string {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .replace(/\b(line|street)(\d)\b/g, "$1 $2")
    .trim()
    .toLowerCase();
  if (Object.hasOwn(WORDS, words)) return WORDS[words]!;
  const capital = words === "" ? name : words[0]!.toUpperCase() + words.slice(1);
  return capital
    .replace(/\bids\b/gi, "IDs")
    .replace(/\b(aml|id|ip|mrz|mrtd|nfc|os|sdk|ssn|url|vpn)\b/gi, (short) => short.toUpperCase());
}
