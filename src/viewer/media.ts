import { element, foreign } from "./element.ts";
import { bytes, label } from "./format.ts";
import type { OpenedFile } from "./opened.ts";

/** Shown in the page. A blob gets its type from here, never from the record; SVG can run code and is not among them. */
const SHOWN: Readonly<Record<string, "img" | "video">> = {
  "image/png": "img",
  "image/jpeg": "img",
  "image/webp": "img",
  "image/gif": "img",
  "image/avif": "img",
  "video/mp4": "video",
  "video/webm": "video",
};

/** Addresses of decrypted bytes in this page's memory. They are given up with what showed them. */
export class BlobUrls {
  readonly #urls: string[] = [];

  of(content: Uint8Array, type: string): string {
    const url = URL.createObjectURL(new Blob([content as Uint8Array<ArrayBuffer>], { type }));
    this.#urls.push(url);
    return url;
  }

  revoke(): void {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }
}

export function mediaView(files: readonly OpenedFile[], withheld: number, urls: BlobUrls): HTMLElement {
  return element(
    "div",
    {},
    files.length === 0 && element("p", { class: "aside" }, "This version has no files."),
    element(
      "div",
      { class: "media" },
      files.map((file) => figure(file, urls)),
    ),
    withheld > 0 && element("p", { class: "aside" }, `The provider listed ${withheld} more, but withheld them.`),
  );
}

function figure(
  { type, page, mediaType, bytes: content, problem, unchecked, purged }: OpenedFile,
  urls: BlobUrls,
): HTMLElement {
  const word = type.length > 80 ? `${type.slice(0, 80)}…` : type;
  const title = `${label(word)}${page === null ? "" : `, page ${page}`}`;
  const size = content === null ? null : bytes(content.length);
  return element(
    "figure",
    { class: problem === null || purged || unchecked ? undefined : "bad" },
    content === null
      ? element("p", { class: purged || unchecked ? "waiting" : "not-opened" }, problem)
      : shown(content, mediaType.toLowerCase(), title, urls),
    element(
      "figcaption",
      {},
      element("strong", {}, foreign(label(word)), page === null ? "" : `, page ${page}`),
      element("span", {}, element("bdi", {}, mediaType.slice(0, 100)), size === null ? "" : `, ${size}`),
    ),
  );
}

function shown(content: Uint8Array, mediaType: string, title: string, urls: BlobUrls): HTMLElement {
  const kind = Object.hasOwn(SHOWN, mediaType) ? SHOWN[mediaType] : undefined;
  if (kind === undefined) return saving(content, "This kind of file is not shown in the page.", urls);
  const url = urls.of(content, mediaType);
  if (kind === "video") {
    const video = element("video", { controls: true, preload: "auto", "aria-label": title });
    video.src = url;
    video.addEventListener("error", () => video.replaceWith(saving(content, "This browser cannot play it.", urls)));
    return video;
  }
  const image = element("img", { alt: title });
  image.src = url;
  const enlarge = element("button", { type: "button", class: "enlarge", "aria-label": `Enlarge: ${title}` }, image);
  enlarge.addEventListener("click", () => showLarge(url, title));
  image.addEventListener("error", () => enlarge.replaceWith(saving(content, "This browser cannot show it.", urls)));
  return enlarge;
}

function showLarge(url: string, title: string): void {
  const image = element("img", { alt: title });
  image.src = url;
  const close = element("button", { type: "button", class: "plain" }, "Close");
  const dialog = element("dialog", { "aria-label": title }, image, element("p", {}, title, close));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Under a name and type of the page's own: nothing runs by being saved. */
function saving(content: Uint8Array, why: string, urls: BlobUrls): HTMLElement {
  const link = element("a", { download: "opened-file.bin" }, "Save it, decrypted");
  link.href = urls.of(content, "application/octet-stream");
  return element("p", { class: "not-shown" }, why, " ", link);
}
