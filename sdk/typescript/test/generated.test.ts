import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { version } from "../dist/esm/version.js";

const run = promisify(execFile);
const home = join(import.meta.dirname, "..");

async function contents(dir: string): Promise<Record<string, string>> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = files.map(async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    return [path.slice(dir.length), await readFile(path, "utf8")] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}

test("src/gen is what proto/ generates; npm run generate makes it anew", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "coinslot-gen-"));
  t.after(() => rm(dir, { recursive: true }));
  const template = ["--template", "sdk/typescript/buf.gen.yaml", "--output", dir];
  await run("go", ["tool", "-modfile=tools.mod", "buf", "generate", ...template], { cwd: join(home, "../..") });
  const generated = await contents(join(dir, "src/gen"));
  assert("/pay/v1/payment_pb.ts" in generated);
  assert.deepEqual(await contents(join(home, "src/gen")), generated);
});

test("the package has one version", async () => {
  const { version: packed } = JSON.parse(await readFile(join(home, "package.json"), "utf8"));
  assert.equal(version, packed);
});

test("the codes are the contract's, as the Go client has them", async () => {
  const go = await readFile(join(home, "../go/codes.go"), "utf8");
  const [ofCalls = ""] = go.split("// The codes of Payment");
  const want = [...ofCalls.matchAll(/\tCode\w+ += "(\w+)"/g)].map(([, code]) => code);
  const source = await readFile(join(home, "src/errors.ts"), "utf8");
  const [, union = ""] = /type ErrorCode =(.*?);/s.exec(source) ?? [];
  const mine = [...union.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  assert(want.length > 30);
  assert.deepEqual(mine.sort(), want.filter((code) => code !== "canceled").sort()); // which is how a context ends in Go
});

test("the lock file names no registry", async () => {
  const lock = await readFile(join(home, "package-lock.json"), "utf8");
  assert.doesNotMatch(lock, /"resolved"|https?:\/\/registry/);
});
