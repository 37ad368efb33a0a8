import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";

// isolate: each call pays gas as a transaction of its own, with cold storage.
const solidityTests = {
  isolate: true,
  fsPermissions: { readDirectory: ["contracts/release", "tests"] },
};

const compiler = {
  version: "0.8.37",
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")), // from npm: nothing is downloaded
};
const tests = fs.globSync("tests/Contracts/**/*.sol", { cwd: import.meta.dirname });

export default defineConfig({
  paths: { sources: "contracts", tests: { solidity: "tests/Contracts" } },
  solidity: {
    compilers: [
      {
        ...compiler,
        settings: {
          optimizer: { enabled: true, runs: 10000 },
          viaIR: true,
          evmVersion: "cancun",
          metadata: { bytecodeHash: "none" }, // a comment changes no bytecode, so contracts/release changes only with the code
        },
      },
    ],
    // Tests, which deploy the release build, compile much faster without the optimiser.
    overrides: Object.fromEntries(tests.map((file) => [file, { ...compiler, settings: { evmVersion: "cancun" } }])),
  },
  test: {
    solidity: {
      profiles: {
        default: { ...solidityTests, fuzz: { runs: 256 }, invariant: { runs: 10, depth: 100, failOnRevert: true } },
        long: { ...solidityTests, fuzz: { runs: 10000 }, invariant: { runs: 300, depth: 250, failOnRevert: true } },
      },
    },
  },
});
