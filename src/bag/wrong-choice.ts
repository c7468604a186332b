import { type FileHandle, open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { fileError } from "../io/file-error.ts";
import { BAGIT, MANIFEST, TAG_MANIFEST } from "./bagit.ts";
import { NOTE, RESEAL, RETRIEVAL, VIEWER } from "./layout.ts";

/** A certificate of destruction, and the signature beside it. */
const CERTIFICATE = "certificate.json";
const SIGNATURE = "certificate.json.note";
/** What every sealed file begins with (age, version 1). */
const AGE = Buffer.from("age-encryption.org/v1\n");
/** What a zip begins with: a file in it, or its end where it holds no file. */
const ZIPS = [Buffer.from("PK\u0003\u0004"), Buffer.from("PK\u0005\u0006")];

/** The folder with the retrieval and its proofs. */
const [EVIDENCE = ""] = RETRIEVAL.split("/");
const CHOOSE = "Choose the folder that holds bagit.txt, or certificate.json.";

/**
 * A wrong path is a slip, and no sign that anyone changed a bag. Throws `usage` where what is there cannot be a bag of
 * Holdfast: a zip, any other file, another folder, another program's bag.
 */
export async function refuseOtherThanBag(path: string): Promise<void> {
  if (await isFile(path)) {
    await refuseZip(path);
    throw new HoldfastError("usage", `not a bag: ${path} is a file`, {
      hint: `${CHOOSE} To open one sealed file: \`holdfast open\`.`,
    });
  }
  const names = await readdir(path);
  const isOne = (name: string): boolean => names.includes(name);
  if (isOne(CERTIFICATE))
    throw new HoldfastError("usage", `${path} is a certificate of destruction, and no bag`, {
      hint: "There is nothing to open: use `holdfast verify`.",
    });
  if (isOne(SIGNATURE)) throw new HoldfastError("incomplete", `${path}: ${CERTIFICATE} is missing`);
  if (![BAGIT, MANIFEST, TAG_MANIFEST, EVIDENCE].some(isOne))
    throw new HoldfastError("usage", `not a bag: ${path}`, { hint: `${CHOOSE} Unpack a zip file first.` });
  // One file of ours is enough to call the rest missing.
  if (!isOne(BAGIT) || [EVIDENCE, NOTE, RESEAL, VIEWER].some(isOne) || (await listsEvidence(path))) return;
  throw new HoldfastError("usage", `${path} is a BagIt bag, but Holdfast did not make it`, {
    hint: "Check it with the program that made it, or with any BagIt validator.",
  });
}

/** The same for a single sealed file. What is not a plain file (a pipe) is not looked at. */
export async function refuseOtherThanSealed(path: string): Promise<void> {
  if (!(await isFile(path))) return;
  await refuseZip(path);
  const head = await headOf(path, AGE.length);
  if (head.equals(AGE)) return;
  throw new HoldfastError("usage", `${path} is not a sealed file: it does not begin with "age-encryption.org/v1"`, {
    hint: "Give a file whose name ends in .age as it is in the vault, or the folder of a bag.",
  });
}

async function refuseZip(path: string): Promise<void> {
  const head = await headOf(path, 4);
  if (ZIPS.some((zip) => head.equals(zip)))
    throw new HoldfastError("usage", `${path} is a zip: unpack it first`, {
      hint: "Then choose the folder that holds bagit.txt.",
    });
}

async function listsEvidence(folder: string): Promise<boolean> {
  const list = await readFile(join(folder, TAG_MANIFEST), "utf8").catch(() => "");
  return list.includes(`  ${EVIDENCE}/`);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (cause) {
    throw fileError(cause, path, "read");
  }
}

async function headOf(path: string, size: number): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw fileError(cause, path, "read");
  } finally {
    await file?.close();
  }
}
