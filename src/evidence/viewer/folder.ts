import { HoldfastError } from "../../error.ts";
import { type BagFile, MAX_FILE, MAX_FILES } from "./bag-file.ts";

const MAX_DEPTH = 12;

/** A file as the browser gives it, named by its way from what was chosen. */
export function localFile(file: File, path: string): BagFile {
  return {
    path,
    size: file.size,
    async read() {
      if (file.size > MAX_FILE) throw new HoldfastError("malformed", "It is too large to be opened in a browser.");
      return new Uint8Array(await file.arrayBuffer());
    },
  };
}

/** The folder of a file picker. */
export function pickedFolder(list: Iterable<File>): BagFile[] {
  const files: BagFile[] = [];
  for (const file of list) {
    if (files.length >= MAX_FILES) throw tooMany();
    files.push(localFile(file, file.webkitRelativePath || file.name));
  }
  return files;
}

/** A folder dropped on the page, walked to its end. */
export async function droppedFolder(folder: FileSystemDirectoryEntry): Promise<BagFile[]> {
  const files: BagFile[] = [];
  async function walk(directory: FileSystemDirectoryEntry, path: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw new HoldfastError("malformed", "The folder is nested too deeply to be a bag.");
    const reader = directory.createReader();
    for (;;) {
      // A reader gives a part of the folder at a time, and nothing once it is through.
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) return;
      for (const entry of entries) {
        const name = `${path}${entry.name}`;
        if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, `${name}/`, depth + 1);
        else files.push(localFile(await open(entry as FileSystemFileEntry), name));
        if (files.length > MAX_FILES) throw tooMany();
      }
    }
  }
  await walk(folder, "", 0);
  return files;
}

function open(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function tooMany(): HoldfastError {
  return new HoldfastError("malformed", `There are more than ${MAX_FILES} files in there: too many for a browser.`);
}
