import { fileURLToPath } from "node:url";
import { defineConfig } from "hardhat/config";

// isolate: each call pays gas as a transaction of its own, with cold storage.
const solidityTests = {
  isolate: true,
  fsPermissions: { readDirectory: ["contracts/release", "tests"] },
};

export default defineConfig({
  paths: { sources: "contracts", tests: { solidity: "tests/Contracts" } },
  solidity: {
    version: "0.8.37",
    path: fileURLToPath(import.meta.resolve("solc/soljson.js")), // the compiler from npm: nothing is downloaded
    settings: {
      optimizer: { enabled: true, runs: 10000 },
      viaIR: true,
      evmVersion: "cancun",
      metadata: { bytecodeHash: "none" }, // a comment changes no bytecode, so contracts/release changes only with the code
    },
  },
  test: {
    solidity: {
      profiles: {
        default: { ...solidityTests, fuzz: { runs: 256 } },
        long: { ...solidityTests, fuzz: { runs: 10000 } },
      },
    },
  },
});
