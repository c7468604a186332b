#!/usr/bin/env -S node --max-semi-space-size=4
"use strict";
// Every Node version runs this file first, so it uses only syntax that all of them can parse.
var needed = 26;
var found = process.versions.node;
var said = ["holdfast needs Node.js ", needed, " or newer, and this is ", found, ". Fix: install Node.js ", needed];
var others = ", or use the holdfast executable or Debian package, which include Node\n";
if (Number(found.split(".")[0]) >= needed) {
  require("./start.cjs");
} else {
  process.stderr.write(said.join("") + others);
  process.exitCode = 2;
}
