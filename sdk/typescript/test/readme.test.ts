import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request as send, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { Project } from "./project.js";
import { coins, game, Server } from "./server.js";

// The examples are run in their order, as they are written, by a project that has the package.
// What stands in a comment behind a console.log must be in what they print.

const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""], i) => ({
  file: `example${i}`,
  code,
  title: /^.*(?:client\.|verifyWebhook\().*$/m.exec(code)?.[0].trim() ?? "",
  prints: [...code.matchAll(/console\.log\(.*\/\/ (.+)$/gm)].map(([, text = ""]) => text),
}));

let server: Server;
let project: Project;

before(async () => {
  server = await Server.start();
  project = await Project.make("module");
  await Promise.all(examples.map(({ file, code }) => project.write(`${file}.ts`, code)));
  await project.compile(
    examples.map(({ file }) => `${file}.ts`),
    "--module",
    "nodenext",
  );
});
after(async () => {
  await project.remove();
  await server.stop();
});

/** Runs an example and gives its lines as they are printed. */
function start(file: string, env: NodeJS.ProcessEnv = {}) {
  const example = spawn(process.execPath, [join(project.dir, `${file}.js`)], {
    env: { COINSLOT_ACCESS_TOKEN: server.key, COINSLOT_BASE_URL: server.url, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { example, lines: createInterface(example.stdout) };
}

test("there are examples, and all of them say what they print", () => {
  assert(examples.length >= 7);
  assert(examples.every(({ prints }) => prints.length > 0));
});

for (const { file, code, title, prints } of examples) {
  const receiver = code.includes("createServer");
  test(`${file}: ${title}`, async () => {
    const printed = receiver ? await deliver(file) : await play(file);
    for (const text of prints) {
      assert(printed.includes(text), `printed ${JSON.stringify(printed)}, not ${text}`);
    }
  });
}

/** Runs an example to its end, being the player who pays where it says so. */
async function play(file: string): Promise<string> {
  const { example, lines } = start(file);
  const ended = once(example, "exit");
  let printed = "";
  for await (const line of lines) {
    printed += `${line}\n`;
    const [, id] = /^pay at .*(sess_\w+)/.exec(line) ?? [];
    if (id) {
      await server.pay({ id });
    }
  }
  assert.deepEqual(await ended, [0, null]);
  return printed;
}

/** Runs a receiver, lets a player pay, and hands on to it what the server sends. */
async function deliver(file: string): Promise<string> {
  // The endpoint must have an address before its receiver can know the secret.
  const socket = join(project.dir, "receiver.sock");
  const relay = createServer(async (request, response) => {
    const onward = send({ socketPath: socket, method: "POST", headers: request.headers });
    onward.end(await buffer(request));
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 0).end();
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}/`;
  const secret = await server.run("webhooks", "create", "--game", game, "--environment", "sandbox", "--url", url);

  const { example, lines } = start(file, { COINSLOT_WEBHOOK_SECRET: secret, PORT: socket });
  try {
    let printed = "";
    for await (const line of lines) {
      printed += `${line}\n`;
      if (line === "listening") {
        await server.pay(await server.client().checkout(coins));
      } else {
        const forged = send({ socketPath: socket, method: "POST" }).end("{}");
        const [refused] = (await once(forged, "response")) as [IncomingMessage];
        assert.equal(refused.statusCode, 400);
        break;
      }
    }
    return printed;
  } finally {
    example.kill();
    await once(example, "exit");
    relay.close();
    relay.closeAllConnections();
  }
}
