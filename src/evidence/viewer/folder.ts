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

/** The way to a folder that was dropped; to be asked for while the drop is handled, for it is not given out later. */
export function droppedItem(item: DataTransferItem): Promise<FileSystemHandle | null> | FileSystemEntry | null {
  // Chromium gives pages from a disk no files by way of entries; Firefox and Safari give out no handles.
  return "getAsFileSystemHandle" in item
    ? (item as { getAsFileSystemHandle(): Promise<FileSystemHandle | null> }).getAsFileSystemHandle()
    : (item as DataTransferItem).webkitGetAsEntry();
}

export function isFolder(dropped: FileSystemHandle | FileSystemEntry): boolean {
  return "kind" in dropped ? dropped.kind === "directory" : dropped.isDirectory;
}

/** A folder dropped on the page, walked to its end. */
export async function droppedFolder(folder: FileSystemHandle | FileSystemEntry): Promise<BagFile[]> {
  const files: BagFile[] = [];
  async function walk(directory: typeof folder, path: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw new HoldfastError("malformed", "The folder is nested too deeply to be a bag.");
    for await (const entry of membersOf(directory)) {
      const name = `${path}${entry.name}`;
      if (isFolder(entry)) await walk(entry, `${name}/`, depth + 1);
      else files.push(localFile(await fileOf(entry), name));
      if (files.length > MAX_FILES) throw tooMany();
    }
  }
  await walk(folder, "", 0);
  return files;
}

async function* membersOf(folder: FileSystemHandle | FileSystemEntry): AsyncGenerator<typeof folder> {
  if ("kind" in folder) {
    yield* (folder as FileSystemDirectoryHandle).values();
    return;
  }
  const reader = (folder as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a part of the folder at a time, and nothing once it is through.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    yield* entries;
  }
}

function fileOf(entry: FileSystemHandle | FileSystemEntry): Promise<File> {
  if ("kind" in entry) return (entry as FileSystemFileHandle).getFile();
  return new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
}

function tooMany(): HoldfastError {
  return new HoldfastError("malformed", `There are more than ${MAX_FILES} files in there: too many for a browser.`);
}
