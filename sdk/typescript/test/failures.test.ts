import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Coinslot, CoinslotError } from "@coinslot/sdk";

interface Failure {
  name: string;
  happens?: "nobody" | "break" | "cut" | "silence" | "drip";
  status?: number;
  body?: string;
  headers?: Record<string, string>;
  code: string;
  retried: boolean;
  retry_after?: number;
}

// Shared by the SDKs in all languages.
const { bodies, failures } = JSON.parse(readFileSync(join(import.meta.dirname, "../../failures.json"), "utf8")) as {
  bodies: Record<string, { type?: string; text: string }>;
  failures: Failure[];
};

const shortTimeout = 300;

/** Does what happens to a request. */
function answer({ happens, status = 0, body = "", headers }: Failure, request: IncomingMessage, response: ServerResponse) {
  request.resume();
  switch (happens) {
    case "break":
      request.socket.destroy();
      return;
    case "cut":
    case "drip": {
      response.writeHead(200, { "Content-Type": request.headers["content-type"], "Content-Length": "1000" });
      response.write("{");
      if (happens === "cut") {
        setImmediate(() => request.socket.destroy());
        return;
      }
      const dripping = setInterval(() => response.write(" "), shortTimeout / 3);
      response.on("close", () => clearInterval(dripping));
      return;
    }
    case "silence":
      return;
  }
  const { type, text } = bodies[body]!;
  response.writeHead(status, { ...(type && { "Content-Type": type }), ...headers }).end(text);
}

describe("the shared failures", { concurrency: true }, () => {
  assert(failures.length > 50);
  for (const failure of failures) {
    test(failure.name, async (t) => {
      let requests = 0;
      const server = createServer((request, response) => {
        requests++;
        assert.match(request.headers["user-agent"] ?? "", /^coinslot-typescript\/\d/);
        answer(failure, request, response);
      }).listen(0, "127.0.0.1");
      t.after(() => void server.close().closeAllConnections());
      await once(server, "listening");
      const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      if (failure.happens === "nobody") {
        server.close();
        await once(server, "close");
      }
      // Its connections are counted, since nobody else can where nobody listens.
      const agent = new (class extends Agent {
        override createConnection(...args: Parameters<Agent["createConnection"]>) {
          requests += failure.happens === "nobody" ? 1 : 0;
          return super.createConnection(...args);
        }
      })();
      const client = new Coinslot({
        accessToken: "sk_sandbox_a",
        baseUrl,
        retries: 1,
        nodeOptions: { agent },
        ...(failure.happens === "silence" || failure.happens === "drip" ? { timeout: shortTimeout } : {}),
      });
      const error = await client.sessions.get({ id: "sess_1" }).then(
        () => assert.fail("it did not fail"),
        (error: unknown) => error,
      );
      assert(error instanceof CoinslotError, String(error));
      assert.deepEqual([error.code, error.retryAfter, requests], [
        failure.code,
        failure.retry_after,
        failure.retried ? 2 : 1,
      ]);
      assert.equal(error.retryable, failure.retried || (failure.retry_after ?? 0) > 60);
      assert.equal(error.httpStatus, failure.status);
    });
  }
});
