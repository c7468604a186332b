/** Pictures of identity documents: fictitious states, drawn faces, SPECIMEN across each. */
import { drawnOnce } from "./drawn.ts";
import { dateText, field, ghost, matrixCode, photograph, sexText, signature, type Writer } from "./entry.ts";
import { write, writeMrz } from "./font.ts";
import { chip, overprint, takeBlank } from "./paper.ts";
import type { Document, Person } from "./person.ts";
import { encodePng } from "./png.ts";

const MRZ_INK = 0x14171a;

function title({ canvas, person }: Writer, kind: string, note: string): void {
  const { ink } = person.state;
  write(canvas, person.state.name, 28, 22, { size: 22, pen: 3, color: ink, spacing: 0.14, fit: 360 });
  write(canvas, kind, canvas.width - 28, 18, {
    size: 17,
    pen: 2.3,
    color: ink,
    align: "right",
    spacing: 0.06,
    fit: 380,
  });
  write(canvas, note, canvas.width - 28, 43, { size: 9, pen: 1.1, color: ink, alpha: 0.8, align: "right" });
}

function passport(writer: Writer, document: Document): void {
  const { canvas, person } = writer;
  const [left, middle, right] = [272, 470, 652];
  title(writer, "PASSPORT", "SPECIMEN - PASSEPORT - REISEPASS");
  photograph(writer, 32, 108, 208);
  field(writer, "Type", "P", left, 92, 60);
  field(writer, "Code of State", person.state.code, left + 84, 92, 100);
  field(writer, "Passport No.", document.number, right, 92, 170);
  field(writer, "Surname", person.printedFamily, left, 140, 400);
  field(writer, "Given names", person.printedGiven, left, 188, 400);
  field(writer, "Nationality", person.state.adjective, left, 236, 180);
  field(writer, "Sex", sexText(person), middle, 236, 60);
  field(writer, "Date of birth", dateText(person.birth), left, 284, 180);
  field(writer, "Place of birth", person.birthplace.toUpperCase(), middle, 284, 170);
  field(writer, "Date of issue", dateText(document.issued), left, 332, 180);
  field(writer, "Authority", person.state.authority, middle, 332, 200);
  field(writer, "Date of expiry", dateText(document.expiry), left, 380, 180);
  field(writer, "Holder's signature", "", middle, 380, 180);
  signature(writer, middle, 394, 160);
  ghost(writer, 700, 214, 112);
  overprint(canvas);
  const pitch = (canvas.width - 64) / 44;
  for (const [i, line] of document.mrz.entries()) writeMrz(canvas, line, 32, 514 + i * 36, pitch, MRZ_INK);
}

function cardFront(writer: Writer, document: Document): void {
  const { canvas, person } = writer;
  const left = 264;
  title(writer, "IDENTITY CARD", "SPECIMEN - CARTE D'IDENTITÉ - PERSONALAUSWEIS");
  photograph(writer, 32, 118, 200);
  field(writer, "Surname", person.printedFamily, left, 94, 360);
  field(writer, "Given names", person.printedGiven, left, 144, 360);
  field(writer, "Date of birth", dateText(person.birth), left, 194, 170);
  field(writer, "Sex", sexText(person), 460, 194, 60);
  field(writer, "Nationality", person.state.adjective, left, 244, 170);
  field(writer, "Place of birth", person.birthplace.toUpperCase(), 460, 244, 190);
  field(writer, "Document No.", document.number, left, 294, 170);
  field(writer, "Date of expiry", dateText(document.expiry), 460, 294, 170);
  field(writer, "Holder's signature", "", left, 350, 200);
  signature(writer, left, 372, 210);
  chip(canvas, 700, 110);
  ghost(writer, 676, 330, 100);
  write(canvas, document.number, 32, 420, { size: 15, pen: 2, color: person.state.ink, spacing: 0.15 });
  overprint(canvas);
}

function cardBack(writer: Writer, document: Document): void {
  const { canvas, person } = writer;
  field(writer, "Address", person.address.toUpperCase(), 34, 36, 430);
  field(writer, "Town", person.city.toUpperCase(), 34, 88, 300);
  field(writer, "Authority", person.state.authority, 34, 140, 430);
  field(writer, "Date of issue", dateText(document.issued), 34, 192, 170);
  field(writer, "Document No.", document.number, 240, 192, 170);
  write(canvas, `ISSUED BY ${person.state.name}, WHICH DOES NOT EXIST`, 34, 268, {
    size: 9.5,
    pen: 1.2,
    color: person.state.ink,
    alpha: 0.85,
    fit: 420,
  });
  matrixCode(writer, 596, 44, 8);
  overprint(canvas);
  const pitch = (canvas.width - 68) / 30;
  for (const [i, line] of document.mrz.entries()) writeMrz(canvas, line, 34, 380 + i * 42, pitch, MRZ_INK);
}

function licenceFront(writer: Writer, document: Document): void {
  const { canvas, person } = writer;
  const left = 272;
  title(writer, "DRIVING LICENCE", "SPECIMEN - PERMIS DE CONDUIRE - FÜHRERSCHEIN");
  photograph(writer, 34, 118, 196);
  const lines: [string, string][] = [
    ["1.", person.printedFamily],
    ["2.", person.printedGiven],
    ["3.", `${dateText(person.birth)}  ${person.birthplace.toUpperCase()}`],
    ["4a.", dateText(document.issued)],
    ["4b.", dateText(document.expiry)],
    ["4c.", person.state.authority],
    ["5.", document.number],
    ["8.", `${person.address}, ${person.city}`.toUpperCase()],
  ];
  lines.forEach(([number, value], i) => {
    const y = 98 + i * 37;
    write(canvas, number, left, y + 3, { size: 11, pen: 1.4, color: person.state.line });
    write(canvas, value, left + 36, y, { size: 16, pen: 2.1, color: person.state.ink, fit: i < 5 ? 340 : 460 });
  });
  write(canvas, "7.", left, 413, { size: 11, pen: 1.4, color: person.state.line });
  signature(writer, left + 36, 398, 190);
  write(canvas, "9.", left, 462, { size: 11, pen: 1.4, color: person.state.line });
  write(canvas, document.categories.join("  "), left + 36, 458, { size: 18, pen: 2.6, color: person.state.ink });
  ghost(writer, 686, 106, 100);
  overprint(canvas);
}

function licenceBack(writer: Writer, document: Document): void {
  const { canvas, person } = writer;
  const { ink, line } = person.state;
  const [top, step] = [64, 34];
  const columns = [34, 150, 300, 450];
  for (const [i, text] of ["9.", "10.", "11.", "12."].entries()) {
    write(canvas, text, columns[i]!, 38, { size: 11, pen: 1.5, color: line });
  }
  ["AM", "A1", "A2", "A", "B", "BE", "C", "CE"].forEach((category, row) => {
    const y = top + row * step;
    canvas.stroke([[30, y - 8, 540, y - 8]], 1, line, 0.6);
    write(canvas, category, columns[0]!, y, { size: 15, pen: 2, color: ink });
    const held = document.categories.includes(category);
    write(canvas, held ? dateText(document.issued) : "- - -", columns[1]!, y + 1, { size: 12, pen: 1.6, color: ink });
    write(canvas, held ? dateText(document.expiry) : "- - -", columns[2]!, y + 1, { size: 12, pen: 1.6, color: ink });
    if (category === "B") write(canvas, "01.06", columns[3]!, y + 1, { size: 12, pen: 1.6, color: ink });
  });
  matrixCode(writer, 596, 60, 8);
  overprint(canvas);
  write(canvas, `${document.number}   ${person.state.code}   SPECIMEN`, 34, 420, {
    size: 18,
    pen: 2.4,
    color: ink,
    spacing: 0.12,
  });
}

/** One page of a document as PNG. Pages count from 1. */
export function drawDocument(
  seed: number,
  person: Person,
  document: Document,
  page: number,
  recaptured: number,
): Buffer {
  const of = ["document", seed, person, document, page, recaptured];
  return drawnOnce(of, () => draw(seed, person, document, page, recaptured));
}

function draw(seed: number, person: Person, document: Document, page: number, recaptured: number): Buffer {
  const blank = { PASSPORT: "passport", NATIONAL_ID_CARD: "card", DRIVERS_LICENSE: "licence" } as const;
  const canvas = takeBlank(person.state, page > 1 ? "back" : blank[document.type]);
  const writer: Writer = { canvas, seed, person, recaptured };
  if (document.type === "PASSPORT") passport(writer, document);
  else if (document.type === "NATIONAL_ID_CARD") (page > 1 ? cardBack : cardFront)(writer, document);
  else (page > 1 ? licenceBack : licenceFront)(writer, document);
  const comment = `Specimen: invented person ${person.index}, capture ${recaptured + 1}`;
  return encodePng(canvas.width, canvas.height, canvas.pixels, comment);
}
