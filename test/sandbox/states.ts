/**
 * The states that issue the sandbox's documents. None exists: a specimen must not pass for a real country's document.
 * UTO is ICAO's own specimen code; the others come from ISO 3166's user-assigned range QMA to QZZ.
 */
export interface IssuingState {
  readonly code: string;
  readonly name: string;
  readonly adjective: string;
  readonly authority: string;
  /** Paper, guilloche and ink, as 0xRRGGBB. */
  readonly paper: number;
  readonly line: number;
  readonly accent: number;
  readonly ink: number;
}

export const STATES: readonly IssuingState[] = [
  {
    code: "UTO",
    name: "UTOPIA",
    adjective: "UTOPIAN",
    authority: "MINISTRY OF CIVIL CONCORD",
    paper: 0xe9f1ee,
    line: 0x3f8f86,
    accent: 0xc2873f,
    ink: 0x12322f,
  },
  {
    code: "QRU",
    name: "RURITANIA",
    adjective: "RURITANIAN",
    authority: "ROYAL CHANCERY OF STRELSAU",
    paper: 0xf4ecec,
    line: 0xa8434f,
    accent: 0x4a5f9e,
    ink: 0x3a1219,
  },
  {
    code: "QER",
    name: "EREWHON",
    adjective: "EREWHONIAN",
    authority: "OFFICE OF MUSICAL BANKS",
    paper: 0xecebf5,
    line: 0x5a57a8,
    accent: 0x4f9d7a,
    ink: 0x1c1a45,
  },
  {
    code: "QPU",
    name: "LAPUTA",
    adjective: "LAPUTAN",
    authority: "FLYING ISLAND REGISTRY",
    paper: 0xe8eff6,
    line: 0x3d7cb0,
    accent: 0xb06a8c,
    ink: 0x10293f,
  },
  {
    code: "QRC",
    name: "ARCADIA",
    adjective: "ARCADIAN",
    authority: "SHEPHERDS' ASSEMBLY",
    paper: 0xf2f3e4,
    line: 0x7a8f35,
    accent: 0xb5652f,
    ink: 0x2c3410,
  },
];
