// Writes the vectors that the contracts' tests and the program's read alike, from the protocol's text (docs/protocol.md, "Preimages") and not from
// either implementation: Keccak by js-sha3, HKDF by Node, the shuffle over a plain array. Run: node tests/vectors/rounds/generate.mjs
import { createHash, hkdfSync } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import sha3 from "js-sha3";

const keccak = (...bytes) => "0x" + sha3.keccak256(Buffer.concat(bytes));
const hex = (text) => Buffer.from(text.slice(2), "hex");
const word = (value) => (typeof value === "string" ? Buffer.concat([Buffer.alloc(32 - hex(value).length), hex(value)]) : hex("0x" + BigInt(value).toString(16).padStart(64, "0")));
const encode = (...values) => Buffer.concat(values.map(word)); // abi.encode of static types
const text = (s) => Buffer.from(s, "utf8");
const some = (...seed) => "0x" + createHash("sha256").update(JSON.stringify(seed)).digest("hex"); // fixed "random" words
const zero = "0x" + "00".repeat(32);
const address = (...seed) => "0x" + some(...seed).slice(26);

function turns(beacon, round, n, maxTurns) {
  const order = Array.from({ length: n }, (_, i) => i);
  const count = Math.min(maxTurns, n);
  for (let i = 0; i < count; ++i) {
    const j = i + Number(BigInt(keccak(encode(beacon, round, i))) % BigInt(n - i));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order.slice(0, count);
}

function xor(a, b) {
  return "0x" + Buffer.from(hex(a).map((x, i) => x ^ hex(b)[i])).toString("hex");
}

function domain(chainId, rounds) {
  const type = keccak(text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"));
  return keccak(encode(type, keccak(text("FedChain")), keccak(text("1")), chainId, rounds));
}

const typed = (chainId, rounds, struct) => keccak(hex("0x1901"), hex(domain(chainId, rounds)), hex(struct));

write("turns", "The order of turns: for i < min(maxTurns, n) swap i with i + keccak(beacon, round, i) mod (n - i)", [
  ...[1, 2, 3, 4, 5, 7, 8, 9, 16, 100, 1000].flatMap((n) => [1, 3, 8].map((maxTurns) => ({ n, maxTurns }))),
].map(({ n, maxTurns }, k) => {
  const beacon = k === 0 ? zero : some("beacon", k);
  const round = k % 5 === 4 ? 1099511627775 : k + 1;
  return { beacon, round, n, maxTurns, order: turns(beacon, round, n, maxTurns) };
}));

write("quorum", "q(n) = floor(2n / 3) + 1, except q(2) = q(3) = 2; least updates = max(floor(N / 2) + 1, minimum)", [
  ...Array.from({ length: 40 }, (_, i) => i + 1), 99, 100, 101, 1000, 4294967295,
].map((n) => ({
  n,
  quorum: n === 2 || n === 3 ? 2 : Math.floor((2 * n) / 3) + 1,
  minimum: (n % 7) + 1,
  updates: Math.max(Math.floor(n / 2) + 1, (n % 7) + 1),
})));

write("beacon", "beacon' = beacon xor keccak(round, id, secret) from 0; set' = keccak(set, id, manifest) from 0", [0, 1, 2, 3, 10].map((n, k) => {
  const round = k === 3 ? 1099511627775 : k + 1;
  const submissions = Array.from({ length: n }, (_, i) => ({
    id: i === 2 ? 4294967295 : n - i,
    secret: some("secret", k, i),
    manifest: some("manifest", k, i),
  }));
  let [beacon, set] = [zero, zero];
  for (const s of submissions) {
    beacon = xor(beacon, keccak(encode(round, s.id, s.secret)));
    set = keccak(encode(set, s.id, s.manifest));
  }
  return { round, count: n, submissions, beacon, set };
}));

write("candidate", "candidate = keccak(round, turn, set, manifest, aggregate)", [0, 1, 2, 3].map((k) => {
  const c = { round: 7 * k + 1, turn: 2 * k, set: some("set", k), manifest: some("global", k), aggregate: k === 3 ? zero : some("aggregate", k) };
  return { ...c, candidate: keccak(encode(c.round, c.turn, c.set, c.manifest, c.aggregate)) };
}));

write("commitment", "secret = HKDF-SHA256(operator's key, no salt, \"fedchain/beacon\" | abi.encode(chainid, rounds, id, index), 32); commitment = keccak(chainid, rounds, id, secret)", [0, 1, 2, 3, 4].map((k) => {
  const c = { chainId: [1, 31337, 100, 11155111, 9007199254740991][k], rounds: address("rounds", k), id: k === 4 ? 4294967295 : k + 1, index: [0, 0, 1, 1000, 4294967295][k], operatorKey: some("key", k) };
  const info = Buffer.concat([text("fedchain/beacon"), encode(c.chainId, c.rounds, c.id, c.index)]);
  const secret = "0x" + Buffer.from(hkdfSync("sha256", hex(c.operatorKey), Buffer.alloc(0), info, 32)).toString("hex");
  return { ...c, secret, commitment: keccak(encode(c.chainId, c.rounds, c.id, secret)) };
}));

write("policy", "policy = keccak(keccak(json), training, publishing, attesting, interval, minimum, maxTurns, rounds, genesis)", [
  { json: "{}", params: [1, 1, 1, 0, 1, 1, 1] },
  { json: "{\"v\":1}", params: [100, 50, 40, 10, 3, 3, 1000] },
  { json: "{\"name\":\"Ärzte\"}", params: [2592000, 2592000, 2592000, 2592000, 4294967295, 8, 16777215] },
].map(({ json, params }, k) => {
  const [training, publishing, attesting, interval, minimum, maxTurns, rounds] = params;
  const genesis = some("genesis", k);
  return { json, training, publishing, attesting, interval, minimum, maxTurns, rounds, genesis, policy: keccak(encode(keccak(text(json)), ...params, genesis)) };
}));

write("attestation", "EIP-712: Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)", [0, 1, 2].map((k) => {
  const c = { chainId: [1, 31337, 100][k], rounds: address("rounds", k), round: k + 1, turn: k, candidate: some("candidate", k), valid: k !== 1 };
  const type = keccak(text("Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)"));
  const struct = keccak(encode(type, c.round, c.turn, c.candidate, c.valid ? 1 : 0));
  return { ...c, structHash: struct, digest: typed(c.chainId, c.rounds, struct) };
}));

write("holdings", "EIP-712: Holdings(uint256 round,bytes32 set,bytes bitmap); bit i of the bitmap is submission i, least significant first", [0, 1, 2].map((k) => {
  const c = { chainId: [1, 31337, 100][k], rounds: address("rounds", k), round: k + 1, set: some("set", k), bitmap: ["0x", "0x0b", "0xff01"][k] };
  const type = keccak(text("Holdings(uint256 round,bytes32 set,bytes bitmap)"));
  const struct = keccak(encode(type, c.round, c.set, keccak(hex(c.bitmap))));
  return { ...c, structHash: struct, digest: typed(c.chainId, c.rounds, struct) };
}));

function write(name, description, cases) {
  fs.writeFileSync(path.join(import.meta.dirname, `${name}.json`), JSON.stringify({ description, cases }, null, 1) + "\n");
}
