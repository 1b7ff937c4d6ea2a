import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Project } from "./project.js";
import { Server } from "./server.js";

let server: Server;

before(async () => {
  server = await Server.start();
});
after(() => server.stop());

const body = `
async function main(): Promise<void> {
  const client = new Coinslot();
  const session = await client.checkout({
    gameId: "space_shooter",
    userId: "player_42",
    item: { title: "50 Gold Coins", price: 499, currency: "USD" },
    returnUrl: "mygame://payment-complete",
  });
  const { status } = await client.sessions.status({ id: session.id });
  const wrong: CoinslotError = await client.sessions.get({ id: "sess_nobody" }).then(
    () => { throw new Error("found"); },
    (error: unknown) => { if (error instanceof CoinslotError) return error; throw error; },
  );
  console.log(status, session.createdAt instanceof Date, wrong.code, typeof verifyWebhook);
}
void main();
`;

const imports = `import { Coinslot, CoinslotError, verifyWebhook } from "@coinslot/sdk";`;

describe("the package as it is packed", { concurrency: true }, () => {
  const kinds = [
    { name: "an ES module", type: "module", head: imports, options: ["--module", "nodenext"] },
    { name: "CommonJS", type: "commonjs", head: imports, options: ["--module", "node16"] },
    {
      name: "CommonJS that says require",
      type: "commonjs",
      head: `import sdk = require("@coinslot/sdk");\nimport Coinslot = sdk.Coinslot;\nimport CoinslotError = sdk.CoinslotError;\nconst { verifyWebhook } = sdk;`,
      options: ["--module", "nodenext"],
    },
    {
      name: "a bundler's module",
      type: "module",
      head: imports,
      options: ["--module", "esnext", "--moduleResolution", "bundler"],
    },
  ] as const;
  for (const { name, type, head, options } of kinds) {
    test(`is of use to ${name}`, async (t) => {
      const project = await Project.make(type);
      t.after(() => project.remove());
      await project.write("main.ts", head + body);
      await project.compile(["main.ts"], ...options);
      const env = { COINSLOT_ACCESS_TOKEN: server.key, COINSLOT_BASE_URL: server.url };
      const { stdout } = await promisify(execFile)(process.execPath, [join(project.dir, "main.js")], { env });
      assert.equal(stdout.trim(), "pending true session_not_found function");
    });
  }

  test("holds what is built, its README and its licence, and no more", async (t) => {
    const project = await Project.make("module");
    t.after(() => project.remove());
    const packed = join(project.dir, "node_modules/@coinslot/sdk");
    assert.deepEqual((await readdir(packed)).sort(), ["LICENSE", "README.md", "dist", "package.json"]);
    const license = (dir: string) => readFile(join(dir, "LICENSE"), "utf8");
    assert.equal(await license(packed), await license(join(import.meta.dirname, "../../..")));
    assert.deepEqual((await readdir(join(packed, "dist"))).sort(), ["cjs", "esm"]);
  });
});
