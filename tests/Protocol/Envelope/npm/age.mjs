// The age-encryption package as a filter from standard input to standard output:
//   encrypt recipient...                    decrypt identity...   (each alone must open the file, to the same bytes)
//   encrypt-passphrase passphrase logN      decrypt-passphrase passphrase
//   recipients identity...                  (prints one a line)
import { readFileSync, writeFileSync } from 'node:fs';
import { Decrypter, Encrypter, identityToRecipient } from 'age-encryption';

const [command, ...rest] = process.argv.slice(2);
const input = () => new Uint8Array(readFileSync(0));
const output = (bytes) => writeFileSync(1, bytes);

function encrypter() {
  const e = new Encrypter();
  if (command === 'encrypt') {
    rest.forEach((recipient) => e.addRecipient(recipient));
  } else {
    e.setPassphrase(rest[0]);
    e.setScryptWorkFactor(Number(rest[1]));
  }
  return e;
}

async function opened(add, file) {
  const d = new Decrypter();
  add(d);
  return Buffer.from(await d.decrypt(file));
}

switch (command) {
  case 'encrypt':
  case 'encrypt-passphrase':
    output(await encrypter().encrypt(input()));
    break;
  case 'decrypt': {
    const file = input();
    const plaintexts = await Promise.all(rest.map((identity) => opened((d) => d.addIdentity(identity), file)));
    if (!plaintexts.every((p) => p.equals(plaintexts[0]))) {
      throw new Error('the identities open the file to different bytes');
    }
    output(plaintexts[0]);
    break;
  }
  case 'decrypt-passphrase':
    output(await opened((d) => d.addPassphrase(rest[0]), input()));
    break;
  case 'recipients':
    output((await Promise.all(rest.map((identity) => identityToRecipient(identity)))).join('\n') + '\n');
    break;
  default:
    throw new Error(`unknown command ${command}`);
}
