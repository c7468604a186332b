"use strict";
// In a file of its own: an old Node cannot read `import()`. The program says itself what goes wrong in it.
void import("../program/holdfast.js");
