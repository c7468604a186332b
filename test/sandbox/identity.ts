/** One identity in the form of `GET /identities/{id}`. */
import { type Document, makePerson, type Person } from "./person.ts";
import type { Fate, Population } from "./population.ts";
import { Random } from "./random.ts";
import type { WireDatapoints, WireIdentity, WireWatchlist } from "./wire.ts";

/** 2020-03-01 to 2025-12-31: the sandbox must not depend on today. */
const FIRST = 1_583_020_800;
const LAST = 1_767_139_200;

const START = [
  ["approved", 58],
  ["declined", 8],
  ["pending", 12],
  ["verified", 8],
  ["unverified", 4],
  ["processed", 4],
  ["processing", 4],
  ["created", 2],
] as const;

type Status = (typeof START)[number][0];

const NEXT: Readonly<Record<Status, Status>> = {
  created: "processing",
  processing: "pending",
  processed: "verified",
  verified: "approved",
  unverified: "declined",
  pending: "approved",
  approved: "declined",
  declined: "approved",
};

const AGENTS = [
  "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1",
  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
];

/** TypeScript does not know JSON.rawJSON yet: a number printed with all its digits. */
const rawNumber = (n: bigint): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(n));

/** What the identity and its resources share: the time line, the status, whether anything was captured yet. */
export interface Course {
  readonly status: Status;
  readonly created: number;
  readonly updated: number;
  /** Before processing ends there are no documents and no data points. */
  readonly captured: boolean;
  readonly fate: Fate;
}

export function course(population: Population, index: number): Course {
  const random = new Random(population.seed, 11, index);
  const fate = population.fate(index);
  let status: Status = random.weighted(START);
  for (let n = 1; n <= fate.revision; n += 2) status = NEXT[status];
  const created = random.integer(FIRST, LAST);
  const updated = created + random.integer(90, 400_000) + (fate.revision + (fate.redacted ? 1 : 0)) * 3_607;
  return { status, created, updated, captured: status !== "created" && status !== "processing", fate };
}

/** Passbase's names for data points. A driving licence has no MRZ, so its map has other keys than a passport's. */
function datapoints(person: Person, document: Document, corrections: number, random: Random): Record<string, unknown> {
  const points: Record<string, unknown> = {
    first_names: person.printedGiven,
    last_name: person.printedFamily,
    date_of_birth: person.birth,
    // What a reviewer corrects: the same town, spelt more fully each time.
    place_of_birth: person.birthplace + " (corrected)".repeat(corrections),
    sex: person.sex === "unspecified" ? null : person.sex,
    nationality: person.state.code,
    document_number: document.number,
    document_origin_country: person.state.code,
    authority: person.state.authority,
    date_of_issue: document.issued,
    date_of_expiry: document.expiry,
    id_authenticity_factor: random.integer(8000, 10000) / 10000,
    face_match_factor: random.integer(7500, 10000) / 10000,
  };
  if (document.type === "DRIVERS_LICENSE") {
    points.drivers_license_categories = document.categories.join(", ");
    points.address = person.address;
    points.city = person.city;
  } else {
    points.raw_mrz_string = `${document.mrz.join("\n")}\n`;
    points.mrtd_document_code = document.mrz[0]![0];
    points.mrtd_issuing_country = person.state.code;
    points.mrtd_verified = !random.chance(4);
  }
  return points;
}

function watchlist(person: Person, random: Random): WireWatchlist {
  if (!random.chance(3)) return { clean: true, listings: {}, media: [], sources: [], types: [] };
  return {
    clean: false,
    listings: {
      "specimen-sanctions": {
        name: `${person.printedGiven} ${person.printedFamily}`,
        url: "https://lists.example.org/specimen-sanctions",
        aml_types: ["sanction"],
        listing_started_utc: "2019-05-02T00:00:00Z",
      },
    },
    media: [
      {
        date: "2019-06-11",
        title: `Regulator names ${person.family}`,
        url: `https://news.example.net/archive/${person.index}`,
      },
    ],
    sources: ["specimen-sanctions"],
    types: ["sanction", "adverse-media"],
  };
}

export function makeIdentity(population: Population, index: number): WireIdentity {
  const { status, created, updated, captured, fate } = course(population, index);
  const random = new Random(population.seed, 12, index);
  const person = makePerson(population.seed, index);
  const anonymous = fate.redacted;
  const resources: WireDatapoints[] = [];
  if (captured) {
    const corrections = Math.floor(fate.revision / 2);
    for (const document of person.documents) {
      const points = datapoints(person, document, corrections, random);
      resources.push({ type: document.type, datapoints: anonymous ? {} : points });
    }
    resources.push({ type: "SELFIE_VIDEO", datapoints: {} });
  }
  const dice = random.integer(0, 99);
  const sequence = 9_007_199_254_740_993n + 2n * BigInt(index); // beyond 2^53 and odd: parse it and print it, and it has changed
  const metadata = {
    customer_id: person.customer,
    user_agent: random.pick(AGENTS),
    language: person.language,
    session: { started: created - random.integer(30, 900), screens: random.integer(3, 9), referrer: null },
    consents: ["terms", "biometrics"],
  };
  const watch = watchlist(person, random);
  const review = {
    channel: random.pick(["web", "ios", "android"]),
    reviewer: status === "approved" || status === "declined" ? `reviewer-${random.integer(1, 9)}` : null,
    sequence: rawNumber(sequence),
  };
  return {
    id: population.id(index),
    status,
    owner: anonymous
      ? { email: null, first_name: null, last_name: null }
      : { email: dice === 1 ? null : person.email, first_name: person.given, last_name: person.family },
    score: captured ? random.integer(4000, 10000) / 10000 : null,
    created,
    updated,
    resources,
    // Of a hundred identities four lack metadata, two have null, five lack the network and three the watchlist.
    ...(dice >= 10 && dice < 14 ? {} : { metadata: anonymous || dice === 14 || dice === 15 ? null : metadata }),
    ...(dice >= 20 && dice < 23 ? {} : { watchlist: captured && !anonymous ? watch : null }),
    ...(dice >= 30 && dice < 35 ? {} : { network: anonymous ? null : { ip_address: person.ip } }),
    review,
  };
}
