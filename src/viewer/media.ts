import type { SealedRecord } from "../record/record.ts";
import { dossierOf } from "./dossier/dossier.ts";
import { element } from "./element.ts";
import { inOrder, plainTitle, shownTitle, type Title } from "./file-name.ts";
import { bytes, plural } from "./format.ts";
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
  "video/quicktime": "video",
};

/** What a saved file's name ends with, so that a person can open it. */
const ENDINGS: Readonly<Record<string, string>> = {
  "application/pdf": "pdf",
  "video/quicktime": "mov",
  "video/mp4": "mp4",
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

/** Why the vault lacks a file that the provider lists. */
const WITHHELD: Readonly<Record<string, string>> = {
  forbidden: "The provider refused to hand it out to the key that Holdfast has.",
  missing: "The provider lists it, but does not have it.",
  purged: "The vault had it until its retention period ended. It was destroyed and not fetched again.",
};

export function mediaView(files: readonly OpenedFile[], record: SealedRecord, urls: BlobUrls): HTMLElement {
  const dossier = dossierOf(record);
  const withheld = inOrder(record.withheld, dossier);
  return element(
    "div",
    {},
    files.length === 0 && element("p", { class: "aside" }, "This version has no files."),
    element(
      "div",
      { class: "media" },
      inOrder(files, dossier).map(({ file, title }) => figure(file, title, urls)),
    ),
    withheld.length > 0 && element("h4", {}, `Not in the vault: ${plural(withheld.length, "file")}`),
    withheld.length > 0 &&
      element(
        "ul",
        { class: "withheld" },
        withheld
          .slice(0, MAX_WITHHELD)
          .map(({ file, title }) =>
            element("li", {}, element("strong", {}, shownTitle(title)), ": ", whyWithheld(file.reason)),
          ),
        withheld.length > MAX_WITHHELD && element("li", {}, `And ${withheld.length - MAX_WITHHELD} more.`),
      ),
  );
}

const MAX_WITHHELD = 100;

function whyWithheld(reason: string): string {
  return Object.hasOwn(WITHHELD, reason) ? WITHHELD[reason]! : "It was withheld.";
}

function figure(file: OpenedFile, title: Title, urls: BlobUrls): HTMLElement {
  const { mediaType, bytes: content, problem, unchecked, purged } = file;
  const size = content === null ? null : bytes(content.length);
  return element(
    "figure",
    { class: problem === null || purged || unchecked ? undefined : "bad" },
    content === null
      ? element("p", { class: purged || unchecked ? "waiting" : "not-opened" }, problem)
      : shown(content, mediaType.toLowerCase(), plainTitle(title), urls),
    element(
      "figcaption",
      {},
      element("strong", {}, shownTitle(title)),
      element("span", {}, element("bdi", {}, mediaType.slice(0, 100)), size === null ? "" : `, ${size}`),
    ),
  );
}

function shown(content: Uint8Array, mediaType: string, title: string, urls: BlobUrls): HTMLElement {
  const kind = Object.hasOwn(SHOWN, mediaType) ? SHOWN[mediaType] : undefined;
  if (kind === undefined) return saving(content, mediaType, "This kind of file is not shown in the page.", urls);
  const url = urls.of(content, mediaType);
  if (kind === "video") {
    const video = element("video", { controls: true, preload: "auto", "aria-label": title });
    video.src = url;
    video.addEventListener("error", () =>
      video.replaceWith(saving(content, mediaType, "This browser cannot play it.", urls)),
    );
    return video;
  }
  const image = element("img", { alt: title });
  image.src = url;
  const enlarge = element("button", { type: "button", class: "enlarge", "aria-label": `Enlarge: ${title}` }, image);
  enlarge.addEventListener("click", () => showLarge(url, title));
  image.addEventListener("error", () =>
    enlarge.replaceWith(saving(content, mediaType, "This browser cannot show it.", urls)),
  );
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
function saving(content: Uint8Array, mediaType: string, why: string, urls: BlobUrls): HTMLElement {
  const ending = Object.hasOwn(ENDINGS, mediaType) ? ENDINGS[mediaType] : "bin";
  const link = element("a", { download: `opened-file.${ending}` }, "Save it, decrypted");
  link.href = urls.of(content, "application/octet-stream");
  return element("p", { class: "not-shown" }, why, " ", link);
}
