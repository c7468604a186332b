/** What a verified event says, and all that is read of it. */
export interface InboxEvent {
  /** The provider's word for what happened: bounded, and printable. */
  readonly kind: string;
  /** The provider's ids of those whom it is about. */
  readonly ids: readonly string[];
  /** The provider lost their data. */
  readonly isErasure: boolean;
  /** What tells this event from others, if it says so itself. */
  readonly id?: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;
type Reader = (event: Fields) => { kind: unknown; ids: readonly unknown[]; isErasure?: boolean; id?: unknown };

/** More than any event is about. */
const MOST = 100;
const ID = /^[A-Za-z0-9_-]{1,200}$/;
const KIND = /^[A-Za-z][A-Za-z0-9._/-]{0,79}$/;

/**
 * Where each kind of source says whom an event is about. A kind of event that is not known here is read all the same: it
 * is a reason to look at someone.
 */
const READERS: Readonly<Record<string, Reader>> = {
  passbase: ({ event, key }) => ({ kind: event, ids: [key] }),
  persona(event) {
    const { id, attributes } = fields(event.data);
    const { name, payload } = fields(attributes);
    const about = fields(fields(payload).data);
    return {
      kind: name,
      id,
      ids: about.type === "inquiry" ? [about.id] : inquiriesOf(fields(about.relationships)),
      isErasure: /\.redacted$/.test(String(name)),
    };
  },
  stripe({ id, type, data }) {
    const { object, id: session, verification_session: of } = fields(fields(data).object);
    return {
      kind: type,
      id,
      ids: [object === "identity.verification_session" ? session : of],
      isErasure: type === "identity.verification_session.redacted",
    };
  },
  // Events of a check or a report do not name the applicant. Holdfast asks about open ones each night anyway.
  onfido({ payload }) {
    const { resource_type: type, action, object, resource } = fields(payload);
    return { kind: action, ids: [type === "applicant" ? fields(object).id : fields(resource).applicant_id] };
  },
  sumsub: ({ applicantId, type }) => ({
    kind: type,
    ids: [applicantId],
    isErasure: type === "applicantDeleted" || type === "applicantPersonalDataDeleted",
  }),
  veriff({ id, action, eventType, verification, data }) {
    const { sessionId, verification: told } = fields(data);
    if (typeof action === "string") return { kind: `event/${action}`, ids: [id] };
    if (typeof verification === "object") return { kind: "decision", ids: [fields(verification).id] };
    if (sessionId !== undefined) return { kind: "watchlist-screening", ids: [sessionId] };
    // This one may be an attempt's. Then no session has it.
    return { kind: eventType, ids: [fields(told).id] };
  },
};

/**
 * What a verified event says to a source of this kind. Undefined if it is no event: no JSON object in UTF-8.
 * @param text verified, but parsed with the same care as any other
 */
export function readEvent(kind: string, text: Uint8Array): InboxEvent | undefined {
  let event: unknown;
  try {
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    return undefined;
  }
  if (typeof event !== "object" || event === null || Array.isArray(event)) return undefined;
  const said = READERS[kind]?.(event as Fields) ?? { kind: undefined, ids: [] };
  const ids = new Set(said.ids.filter((id) => typeof id === "string" && ID.test(id)) as string[]);
  return {
    kind: typeof said.kind === "string" && KIND.test(said.kind) ? said.kind : "other",
    ids: [...ids].slice(0, MOST),
    isErasure: said.isErasure ?? false,
    id: typeof said.id === "string" && ID.test(said.id) ? said.id : undefined,
  };
}

/** Of a verification, a report, a case, an account. */
function inquiriesOf({ inquiry, inquiries }: Fields): unknown[] {
  const several = fields(inquiries).data;
  return [fields(inquiry).data, ...(Array.isArray(several) ? several : [])].map((each) => fields(each).id);
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
