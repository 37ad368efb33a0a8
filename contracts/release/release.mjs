// Writes the release build from Hardhat's artifacts: what is deployed, and what `fedchain verify` compares a chain's code with.
// It is committed, so that building the program needs no Node; `--check` fails where a fresh build differs.
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const check = process.argv.includes("--check");
let stale = 0;

for (const contractName of ["Membership", "Governance", "Rounds"]) {
  const artifact = read(`artifacts/contracts/${contractName}.sol/${contractName}.json`);
  const { solcLongVersion, input } = read(`artifacts/build-info/${artifact.buildInfoId}.json`);
  const { optimizer, viaIR, evmVersion, metadata } = input.settings;
  const release = {
    contractName,
    compiler: { version: solcLongVersion, settings: { optimizer, viaIR, evmVersion, metadata } },
    abi: artifact.abi,
    bytecode: artifact.bytecode,
    deployedBytecode: artifact.deployedBytecode,
    // Hardhat keys them by AST ids, which change with comments; only the places matter.
    immutableReferences: Object.values(artifact.immutableReferences).flat().sort((a, b) => a.start - b.start),
  };
  const file = path.join(root, "contracts/release", `${contractName}.json`);
  const text = JSON.stringify(release, null, 2) + "\n";
  if (check) {
    if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text) {
      console.error(`${path.relative(root, file)} is not what a fresh build gives. Run: npm run release`);
      ++stale;
    }
  } else {
    fs.writeFileSync(file, text);
    console.log(`${path.relative(root, file)}: ${(artifact.deployedBytecode.length - 2) / 2} bytes of code`);
  }
}
process.exit(stale === 0 ? 0 : 1);

function read(relative) {
  return JSON.parse(fs.readFileSync(path.join(root, relative), "utf8"));
}
