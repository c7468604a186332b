import { HoldfastError } from "../core/error.ts";
import { type BagFile, MAX_FILES, unreadable } from "./bag-file.ts";

const MAX_DEPTH = 12;

/** A file as the browser gives it, named by its way from what was chosen. */
function localFile(file: File, path: string): BagFile {
  return {
    path,
    size: file.size,
    async read(start, end) {
      try {
        const bytes = new Uint8Array(await file.slice(start, end).arrayBuffer());
        if (bytes.length === end - start) return bytes;
      } catch (cause) {
        throw unreadable(cause);
      }
      throw unreadable(undefined);
    },
  };
}

/** One that is there, and that the browser does not give. */
function closedFile(path: string, cause: unknown): BagFile {
  return { path, size: 0, read: () => Promise.reject(unreadable(cause)) };
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
    for (const entry of await membersOf(directory, path)) {
      const name = `${path}${entry.name}`;
      if (isFolder(entry)) await walk(entry, `${name}/`, depth + 1);
      else {
        files.push(
          await fileOf(entry).then(
            (file) => localFile(file, name),
            (cause: unknown) => closedFile(name, cause),
          ),
        );
      }
      if (files.length > MAX_FILES) throw tooMany();
    }
  }
  await walk(folder, "", 0);
  return files;
}

/** Throws `state`: what is in a folder that cannot be read must not be called missing. */
async function membersOf(folder: FileSystemHandle | FileSystemEntry, path: string): Promise<(typeof folder)[]> {
  const members: (typeof folder)[] = [];
  try {
    if ("kind" in folder) {
      for await (const member of (folder as FileSystemDirectoryHandle).values()) members.push(member);
      return members;
    }
    const reader = (folder as FileSystemDirectoryEntry).createReader();
    for (;;) {
      // A reader gives a part of the folder at a time, and nothing once it is through.
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) return members;
      members.push(...entries);
      if (members.length > MAX_FILES) throw tooMany();
    }
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    throw new HoldfastError("state", `The folder ${path || folder.name} could not be read here. Nothing was checked.`, {
      cause,
    });
  }
}

function fileOf(entry: FileSystemHandle | FileSystemEntry): Promise<File> {
  if ("kind" in entry) return (entry as FileSystemFileHandle).getFile();
  return new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
}

function tooMany(): HoldfastError {
  return new HoldfastError("malformed", `There are more than ${MAX_FILES} files in there: too many for a browser.`);
}
