/** Objects as the API sends them: JSON:API, keys in kebab case until the request's inflection is applied. */

export interface Reference {
  readonly type: string;
  readonly id: string;
}

export interface Relation {
  readonly data: Reference | readonly Reference[] | Readonly<Record<string, never>> | null;
}

export interface Wire extends Reference {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly relationships?: Readonly<Record<string, Relation>>;
}

export const one = (type: string, id: string): Relation => ({ data: { type, id } });
/** An absent relation. Persona writes both forms. */
export const absent = (index: number): Relation => ({ data: index % 2 === 0 ? null : {} });

export function references(relation: Relation | undefined): readonly Reference[] {
  const data = relation?.data;
  if (Array.isArray(data)) return data as Reference[];
  return data && "id" in data ? [data as Reference] : [];
}
