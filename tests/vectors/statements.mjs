// Writes statements.json: signed statements as ethers signs them, each verified with viem, so that two programs that share no code with this one agree.
// In a folder with both (npm install ethers viem): node statements.mjs > statements.json
import { createHash } from "node:crypto";
import { TypedDataEncoder, Wallet, verifyTypedData } from "ethers";
import { hashTypedData, verifyTypedData as verifyWithViem } from "viem";

const sha = (text) => "0x" + createHash("sha256").update(text).digest("hex");
const types = {
  Statement: [
    { name: "member", type: "uint256" },
    { name: "model", type: "bytes32" },
    { name: "issuedAt", type: "uint256" },
    { name: "text", type: "string" },
  ],
};

const cases = [
  { chainId: 31337, member: 1, issuedAt: 0, text: "" },
  { chainId: 1, member: 2, issuedAt: 1789000000, text: "Our model of round 7 has been reviewed by the board." },
  { chainId: 11155111, member: 4294967295, issuedAt: 9007199254740991, text: "Größe \u{1f3e5} \"quoted\" \\ \n\ttabbed \u2028" },
  { chainId: 31337, member: 3, issuedAt: 1789000001, text: createHash("sha256").update("report").digest("hex") + "  report.pdf" },
  { chainId: 31337, member: 4, issuedAt: 1789000002, text: "long ".repeat(2000) },
];

const out = [];
for (const [i, { chainId, member, issuedAt, text }] of cases.entries()) {
  const wallet = new Wallet(sha(`statement key ${i}`));
  const membership = "0x" + sha(`membership ${i}`).slice(26);
  const domain = { name: "FedChain", version: "1", chainId, verifyingContract: membership };
  const message = { member, model: sha(`model ${i}`), issuedAt, text };
  const signature = await wallet.signTypedData(domain, types, message);
  const digest = TypedDataEncoder.hash(domain, types, message);
  const viem = { domain, types, primaryType: "Statement", message: { ...message, member: BigInt(member), issuedAt: BigInt(issuedAt) } };
  if (verifyTypedData(domain, types, message, signature) !== wallet.address || hashTypedData(viem) !== digest
    || !(await verifyWithViem({ address: wallet.address, ...viem, signature }))) {
    throw new Error(`ethers and viem disagree about case ${i}`);
  }

  out.push({
    chainId, membership, member, model: message.model, issuedAt, text, privateKey: wallet.privateKey, signer: wallet.address.toLowerCase(),
    structHash: TypedDataEncoder.from(types).hash(message), domainSeparator: TypedDataEncoder.hashDomain(domain), digest, signature,
  });
}

console.log(JSON.stringify(out, null, 1));
