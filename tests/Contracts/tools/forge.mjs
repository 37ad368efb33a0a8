// Runs forge and ends as it ends. The launcher in its npm package ends with 0 even if a test fails.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";

const [system, processor] = [process.platform, process.arch === "x64" ? "amd64" : process.arch];
const manifest = createRequire(import.meta.url).resolve(`@foundry-rs/forge-${system}-${processor}/package.json`);
const program = path.join(path.dirname(manifest), "bin", system === "win32" ? "forge.exe" : "forge");
const { status, signal, error } = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (error) throw error;
if (signal) console.error(`forge was ended by ${signal}`);
process.exit(status ?? 1);
