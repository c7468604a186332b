"use strict";
// A file of its own, because an old Node cannot parse `import()`. The program reports its own errors.
void import("../program/holdfast.js");
