// Runs every test against one binary, that in COINSLOT_BINARY or else one built here, and one packed package.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const dir = mkdtempSync(join(tmpdir(), "coinslot-sdk-"));
try {
  const binary = process.env["COINSLOT_BINARY"] ?? build(join(dir, "coinslot"));
  const files = readdirSync(here)
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(here, name));
  const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...files], {
    stdio: "inherit",
    env: { ...process.env, COINSLOT_BINARY: binary, COINSLOT_SDK_TARBALL: pack(dir) },
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true });
}

function build(path: string): string {
  execFileSync("go", ["build", "-o", path, "./cmd/coinslot"], { cwd: join(here, "../../.."), stdio: "inherit" });
  return path;
}

// Without scripts: what is packed was just built.
function pack(dir: string): string {
  const name = execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", dir], {
    cwd: join(here, ".."),
    encoding: "utf8",
  });
  return join(dir, name.trim());
}
