#!/usr/bin/env node
// The npm compiler under the command line that forge expects of a native solc: it asks for the version, and sends standard JSON.
const fs = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  // forge reads a native build's name only.
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace("Emscripten.clang", "Linux.g++")}`);
} else {
  fs.writeFileSync(1, solc.compile(fs.readFileSync(0, "utf8")));
}
