// Mutates the contracts, one token at a time, and sees whether the Solidity tests notice.
//
//   npm run mutate                  80 mutants drawn with seed 1; goes on where the last run stopped
//   npm run mutate -- --seed 2 --count 60
//   npm run mutate:invariants       one chosen mutation for each invariant, which that invariant alone has to notice (-- --match part of a name)
//
// Works on a copy in cache/mutants; results are kept there, and dropped when a contract or a test has changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import solc from "solc";
import { mutantsOf, mutate, shuffled } from "./mutants.mjs";

const root = path.resolve(import.meta.dirname, "../../..");
const home = path.join(root, "cache/mutants");
const work = path.join(home, "work");
const deployed = ["Membership", "Governance", "Rounds"];
const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "80" },
    invariants: { type: "boolean", default: false },
    match: { type: "string", default: "" },
  },
});

const forge = path.join(import.meta.dirname, "forge.mjs");
const mostSeconds = 900; // of processor time, so that a busy machine ends no run; all tests together take about 150

// Quick tests first: most mutants do not survive them.
const slow = "Invariants|Sizes|AttacksOnTheBeacon|Gas";
const stages = [
  ["--no-match-contract", slow],
  ["--match-contract", slow, "--no-match-test", "of_1000"],
];

const sources = readSources();
const tested = fingerprint();
prepare();
process.exit(options.invariants ? checkInvariants() : checkSample());

function checkSample() {
  const [seed, count] = [Number(options.seed), Number(options.count)];
  const all = [...sources].flatMap(([file, text]) => (file.startsWith("contracts/interfaces/") ? [] : mutantsOf(file, text)));
  const results = readResults();
  results.unmutated ??= outcome(stages);
  if (results.unmutated !== "survived") throw new Error(`Without a mutation a test fails already: ${results.unmutated}`);
  const tried = [];
  for (const mutant of shuffled(all, seed)) {
    if (tried.length === count) break;
    const key = `${mutant.file}:${mutant.offset}:${mutant.replacement}`;
    const result = (results[key] ??= run(mutant, stages));
    fs.writeFileSync(path.join(home, "results.json"), JSON.stringify({ fingerprint: tested, results }, null, 1));
    if (result === "does not compile") continue;
    tried.push({ mutant, result });
    console.log(`${String(tried.length).padStart(3)} ${describe(mutant)}: ${result}`);
  }
  const survivors = tried.filter((t) => t.result === "survived");
  const killed = tried.length - survivors.length;
  console.log(`\n${killed} of ${tried.length} mutants killed (${((100 * killed) / tried.length).toFixed(1)}%), of ${all.length} possible. Survivors:`);
  for (const { mutant } of survivors) console.log(`  ${describe(mutant)}`);
  return killed >= 0.95 * tried.length ? 0 : 1;
}

function checkInvariants() {
  const chosen = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "invariant-mutants.json"), "utf8")).filter((c) => c.invariant.includes(options.match));
  let unnoticed = 0;
  for (const { invariant, file, find, replace } of chosen) {
    const source = sources.get(file);
    const offset = source.indexOf(find);
    if (offset < 0 || source.indexOf(find, offset + 1) >= 0) throw new Error(`${file} does not have exactly one "${find}"`);
    const result = run({ file, offset, text: find, replacement: replace }, [["--match-test", invariant]]);
    if (result === "survived" || result === "does not compile") ++unnoticed;
    console.log(`${invariant}: ${file}, "${find}" -> "${replace}": ${result}`);
  }
  console.log(`${chosen.length - unnoticed} of ${chosen.length} invariants notice their mutation`);
  return unnoticed === 0 ? 0 : 1;
}

/** The name of a test that failed, or "survived", or "does not compile". */
function run(mutant, tests) {
  const original = sources.get(mutant.file);
  const mutated = mutate(original, mutant);
  const codes = compile(new Map(sources).set(mutant.file, mutated), mutant.file);
  if (!codes) return "does not compile";
  fs.writeFileSync(path.join(work, mutant.file), mutated);
  try {
    for (const [name, bytecode] of codes) fs.writeFileSync(path.join(work, releaseOf(name)), JSON.stringify({ bytecode }));
    return outcome(tests);
  } finally {
    fs.writeFileSync(path.join(work, mutant.file), original);
    for (const name of codes.keys()) fs.copyFileSync(path.join(root, releaseOf(name)), path.join(work, releaseOf(name)));
  }
}

/** Of the tests on what is in `work`: the name of one that failed, or "survived". */
function outcome(tests) {
  for (const which of tests) {
    fs.rmSync(path.join(work, "cache/invariant"), { recursive: true, force: true }); // else another mutant's failure is replayed
    const limited = [`ulimit -S -t ${mostSeconds} && exec "$@"`, "sh", process.execPath, forge];
    const { status, stdout, stderr, error } = spawnSync("sh", ["-c", ...limited, "test", "--fail-fast", "--fuzz-seed", "1", ...which], {
      cwd: work,
      env: { ...process.env, FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT: "0" }, // that it fails is enough
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (error) throw error;
    const output = stdout + stderr;
    if (output.includes("forge was ended by SIGXCPU")) return "killed by time"; // a mutant may loop for ever: that is noticed, too
    if (status !== 0) return killer(output);
    if (!/\b[1-9]\d* tests passed/.test(output)) throw new Error(`no test ran: forge test ${which.join(" ")}\n${output.slice(-2000)}`);
  }
  return "survived";
}

function killer(output) {
  if (/Compiler run failed|Compilation failed/.test(output)) return "does not compile";
  const failure = /^\[FAIL[^\n]*\]\s+(\w+)\(/m.exec(output) ?? /^ *\w* ?(invariant_\w+)\(\)/m.exec(output) ?? /setUp\(\)/.exec(output);
  if (!failure) throw new Error(`forge failed for another reason:\n${output.slice(-2000)}`);
  return `killed by ${failure[1] ?? "setUp"}`;
}

/** Creation code of the deployed contracts that a file is part of, by name; null if it does not compile. */
function compile(texts, file) {
  const names = deployed.filter((name) => imported(`contracts/${name}.sol`).has(file));
  const input = {
    language: "Solidity",
    sources: Object.fromEntries([...texts].map(([file, content]) => [file, { content }])),
    settings: {
      ...JSON.parse(fs.readFileSync(path.join(root, releaseOf("Rounds")), "utf8")).compiler.settings,
      outputSelection: Object.fromEntries(names.map((name) => [`contracts/${name}.sol`, { [name]: ["evm.bytecode.object"] }])),
    },
  };
  const read = (file) => ({ contents: fs.readFileSync(path.join(root, "node_modules", file), "utf8") });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  if (output.errors?.some((e) => e.severity === "error")) return null;
  return new Map(names.map((name) => [name, "0x" + output.contracts[`contracts/${name}.sol`][name].evm.bytecode.object]));
}

/** A file of ours and all of ours that it imports. */
function imported(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const { 1: relative } of sources.get(file).matchAll(/from "(\.[^"]+)"/g)) {
    imported(path.posix.join(path.posix.dirname(file), relative), found);
  }
  return found;
}

function releaseOf(name) {
  return `contracts/release/${name}.json`;
}

function readSources() {
  const files = fs.globSync("contracts/**/*.sol", { cwd: root }).sort();
  return new Map(files.map((file) => [file, fs.readFileSync(path.join(root, file), "utf8")]));
}

/** A fresh copy of what the tests need, with forge's cache of the last run. */
function prepare() {
  fs.mkdirSync(work, { recursive: true });
  for (const folder of ["contracts", "tests/Contracts", "tests/vectors"]) {
    fs.rmSync(path.join(work, folder), { recursive: true, force: true });
    fs.cpSync(path.join(root, folder), path.join(work, folder), {
      recursive: true,
      filter: (from) => !/[\\/](?:bin|obj)$/.test(from),
    });
  }
  for (const file of ["foundry.toml", "package.json"]) fs.copyFileSync(path.join(root, file), path.join(work, file));
  if (!fs.existsSync(path.join(work, "node_modules"))) fs.symlinkSync(path.join(root, "node_modules"), path.join(work, "node_modules"));
}

function readResults() {
  const file = path.join(home, "results.json");
  if (!fs.existsSync(file)) return {};
  const kept = JSON.parse(fs.readFileSync(file, "utf8"));
  return kept.fingerprint === tested ? kept.results : {};
}

/** Of the contracts and the tests: with another one, results say nothing. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const text of sources.values()) hash.update(text);
  for (const file of fs.globSync("tests/Contracts/**/*.sol", { cwd: root }).sort()) hash.update(fs.readFileSync(path.join(root, file)));
  return hash.digest("hex");
}

function describe({ file, line, text, replacement }) {
  return `${file}:${line} "${text.length > 60 ? text.slice(0, 57) + "…" : text}" -> "${replacement}"`;
}
