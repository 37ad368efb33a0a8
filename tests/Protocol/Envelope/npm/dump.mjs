// Writes every vector that cctv-age exports to a file of its name in the folder given.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vectors from 'cctv-age';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
for (const [name, bytes] of Object.entries(vectors)) {
  writeFileSync(join(folder, name), bytes);
}
