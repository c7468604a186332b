import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WriteStream } from "node:tty";
import { progressBar, progressLine } from "../../src/observe/progress.ts";

describe("the line", () => {
  test("share, count, rate and time left", () => {
    const line = progressLine("acme", { done: 25, total: 100, elapsed: 5, note: "3 new" });
    assert.match(line, /^acme {2}█{6}░{18} 25 % {2}25 of 100 {2}5\.0\/s {2}15 s left {2}3 new$/);
  });

  test("without a total: count, rate and time so far", () => {
    assert.equal(
      progressLine("acme", { done: 1500, total: undefined, elapsed: 10 }),
      "acme  1,500  150/s  10 s so far",
    );
    assert.equal(progressLine("acme", { done: 0, total: 0, elapsed: 0 }), "acme  0  0.0/s  0.0 s so far");
  });

  test("a total that is a guess is told as one, and is no total once it is reached", () => {
    const line = (done: number) => progressLine("acme", { done, total: { about: 60 }, elapsed: 9 });
    assert.match(line(27), /^acme {2}█+░+ about 45 % {2}27 of about 60 {2}3\.0\/s {2}about 11 s left$/);
    assert.deepEqual([line(60), line(61)], ["acme  60  6.7/s  9.0 s so far", "acme  61  6.8/s  9.0 s so far"]);
    assert.equal(progressLine("acme", { done: 5, total: { about: 0 }, elapsed: 1 }), "acme  5  5.0/s  1.0 s so far");
  });

  test("more than expected is all, nothing done says nothing of the time left", () => {
    assert.match(progressLine("acme", { done: 120, total: 100, elapsed: 5 }), / 100 % .* 0\.0 s left$/);
    assert.doesNotMatch(progressLine("acme", { done: 0, total: 100, elapsed: 5 }), /left/);
  });

  test("what was done before it began is not its speed", () => {
    const line = progressLine("acme", { done: 75, before: 50, total: 100, elapsed: 5 });
    assert.match(line, / 75 % {2}75 of 100 {2}5\.0\/s {2}5\.0 s left$/);
  });

  test("a narrow terminal has less of a bar, or none, and all the words", () => {
    const line = (columns: number) => progressLine("acme", { done: 25, total: 100, elapsed: 5, columns });
    assert.match(line(60), /^acme {2}█+░+ 25 % {2}25 of 100 {2}5\.0\/s {2}15 s left$/);
    assert.ok(line(60).length <= 60);
    assert.equal(line(40), "acme  25 %  25 of 100  5.0/s  15 s left");
  });
});

describe("the bar", () => {
  function bar(columns: number, before = 0) {
    const written: string[] = [];
    let now = 1_000;
    const out = { columns, write: (text: string) => written.push(text) } as unknown as WriteStream;
    const pass = (ms: number): void => {
      now += ms;
    };
    return { progress: progressBar("acme", out, before, () => now), written, pass };
  }

  test("is redrawn in place, ten times a second at most, and at the end", () => {
    const { progress, written, pass } = bar(80);
    progress.update(1, 100);
    progress.update(2, 100);
    pass(99);
    progress.update(3, 100);
    assert.equal(written.length, 1);
    pass(1);
    progress.update(4, 100);
    progress.update(100, 100);
    assert.equal(written.length, 3);
    for (const text of written) assert.ok(text.startsWith("\r\x1b[K") && !text.includes("\n"));
  });

  test("goes on from what an earlier run did", () => {
    const { progress, written, pass } = bar(80, 50);
    pass(5_000);
    progress.update(75, 100);
    assert.match(written[0]!, / 75 % {2}75 of 100 {2}5\.0\/s {2}5\.0 s left$/);
  });

  test("never wraps, and is gone when it ends", () => {
    const { progress, written, pass } = bar(30);
    progress.update(1, 100, () => "a note that is longer than the terminal is wide");
    assert.equal(written[0]!.length, "\r\x1b[K".length + 29);
    progress.end();
    assert.equal(written[1], "\r\x1b[K");
    progress.end();
    assert.equal(written.length, 2);
    pass(100);
    progress.update(2, 100);
    assert.equal(written.length, 3);
  });
});
