import type { Refusal } from "./refusal.ts";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** One element. Escapes text; children (a list of elements) stay unchanged. */
export function element(name: string, content: string | number | boolean | readonly string[]): string {
  const inner = Array.isArray(content) ? content.join("") : String(content).replace(/[&<>"]/g, (c) => ESCAPES[c]!);
  return `<${name}>${inner}</${name}>`;
}

export function document(root: string, children: readonly string[], headers: Record<string, string> = {}): Answer {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, children)}`;
  return { status: 200, headers: { ...headers, "content-type": "application/xml" }, body: Buffer.from(text) };
}

export function errorAnswer({ status, code, message }: Refusal): Answer {
  return { ...document("Error", [element("Code", code), element("Message", message)]), status };
}

/** The text of the first element of this name in a request's XML. */
export function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
