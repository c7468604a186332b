/** A browser has what Node keeps in node:stream/web. */
export const { ReadableStream } = globalThis;
