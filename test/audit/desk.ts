import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "../../src/audit/checkpoint.ts";
import { type Entry, encodeEntry } from "../../src/audit/entry.ts";
import { AuditLog, type Head } from "../../src/audit/log.ts";
import { leafHash, rootOf, verifyConsistency } from "../../src/audit/merkle.ts";
import { generateKey, MAX_SIGNED_NOTE, parseSigner } from "../../src/audit/note.ts";
import { consistencyProof } from "../../src/audit/proof.ts";
import { AuditWriter, type WriterOptions } from "../../src/audit/writer.ts";
import { systemClock } from "../../src/core/clock.ts";
import { CHECKPOINT } from "../../src/vault/layout.ts";
import type { Vault } from "../../src/vault/vault.ts";

export const signer = parseSigner(generateKey("acme.example/log").skey);

/** Entry `n` of a test log. */
export function entry(n: number): Entry {
  return {
    type: "record.failed",
    time: "2026-11-23T10:15:00.000Z",
    run: `r${n}`,
    subject: "0".repeat(32),
    stage: "seal",
    code: "state",
  };
}

export const bytesOf = (n: number): string => Buffer.from(encodeEntry(entry(n))).toString();

/** A log's vault and one machine's state directory, for opening writers. */
export class Desk implements AsyncDisposable {
  readonly vault: Vault;
  readonly state: string;
  readonly #changes: Partial<WriterOptions>;

  constructor(vault: Vault, state: string, changes: Partial<WriterOptions>) {
    this.vault = vault;
    this.state = state;
    this.#changes = changes;
  }

  options(changes: Partial<WriterOptions> = {}): WriterOptions {
    return {
      ...{ vault: this.vault, signer, state: this.state, now: systemClock, holds: () => {}, batch: 256 },
      conditional: { ifNoneMatch: true, ifMatch: true },
      lock: { mode: "governance", initial: Temporal.Duration.from("P90D") },
      ...this.#changes,
      ...changes,
    };
  }

  open(changes?: Partial<WriterOptions>): Promise<AuditWriter> {
    return AuditWriter.open(this.options(changes));
  }

  /** Appends the entries from `from` up to, not including, `to` concurrently, then flushes. */
  async write(from: number, to: number, changes?: Partial<WriterOptions>): Promise<Head> {
    const writer = await this.open(changes);
    try {
      await appendAll(writer, from, to);
      await writer.flush();
      return writer.head;
    } finally {
      await writer.close();
    }
  }

  log(): AuditLog {
    return new AuditLog(this.vault, signer.name, [signer.verifier]);
  }

  /** The log's entries as text, checked against the root that the checkpoint signs. */
  async entries(): Promise<string[]> {
    const log = this.log();
    const head = await log.head();
    const entries = await Array.fromAsync(log.entries(0, head.size), ({ bytes }) => Buffer.from(bytes));
    assert.deepEqual(Buffer.from(rootOf(entries.map(leafHash))), Buffer.from(head.root));
    return entries.map(String);
  }

  /** Checks that every checkpoint ever written continues the one before it. */
  async checkHistory(): Promise<number[]> {
    const notes = [];
    for await (const { versionId } of this.vault.versions(CHECKPOINT))
      notes.unshift((await this.vault.read(CHECKPOINT, MAX_SIGNED_NOTE, versionId)).bytes);
    const heads = notes.map((note) => openCheckpoint(note, signer.name, [signer.verifier]));
    for (const [position, next] of heads.entries()) {
      const before = heads[position - 1];
      if (!before) continue;
      assert.ok(next.size >= before.size);
      const proof = await consistencyProof(before.size, next.size, this.log().tile);
      verifyConsistency(before.size, before.root, next.size, next.root, proof);
    }
    return heads.map(({ size }) => size);
  }

  /** The same vault on a machine that never saw it, or another vault on this machine. */
  async elsewhere({ vault = this.vault, state }: { vault?: Vault; state?: string }): Promise<Desk> {
    return new Desk(vault, state ?? (await mkdtemp(join(this.state, "elsewhere-"))), this.#changes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.state, { recursive: true, force: true });
  }
}

/** A new, empty log. */
export async function makeDesk(vault: Vault, changes: Partial<WriterOptions> = {}): Promise<Desk> {
  const desk = new Desk(vault, await mkdtemp(join(tmpdir(), "holdfast-desk-")), changes);
  await AuditWriter.create(desk.options());
  return desk;
}

export function appendAll(writer: AuditWriter, from: number, to: number): Promise<unknown[]> {
  return Promise.all(Array.from({ length: to - from }, (_, position) => writer.append(entry(from + position))));
}

export const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, position) => bytesOf(from + position));
