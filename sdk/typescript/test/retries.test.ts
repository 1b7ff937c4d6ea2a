import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { CoinslotError, type CoinslotOptions } from "@coinslot/sdk";
import { pause } from "../dist/esm/backoff.js";
import { Proxy, type Fate } from "./proxy.js";
import { coins, game, Server } from "./server.js";

let server: Server;

before(async () => {
  server = await Server.start();
});
after(() => server.stop());

/** A client whose next requests have these fates. */
async function through(t: TestContext, fates: Fate[], options: CoinslotOptions = {}) {
  const proxy = await Proxy.start(server.url);
  t.after(() => proxy.stop());
  proxy.fates = fates;
  return { proxy, client: server.client({ baseUrl: proxy.url, ...options }) };
}

async function failure(promise: Promise<unknown>): Promise<CoinslotError> {
  return promise.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => {
      assert(error instanceof CoinslotError, String(error));
      return error;
    },
  );
}

const html = { "Content-Type": "text/html" };

describe("what may be tried again", { concurrency: true }, () => {
  test("a checkout whose answer was lost makes one session, by one key", async (t) => {
    const { proxy, client } = await through(t, ["lose the answer", "break"]);
    const session = await client.checkout({ ...coins, userId: "unlucky" });
    const { sessions } = await client.sessions.list({ gameId: game, userId: "unlucky" });
    assert.deepEqual(
      sessions.map(({ id }) => id),
      [session.id],
    );
    const keys = proxy.requests.slice(0, 3).map((headers) => headers["idempotency-key"]);
    assert.match(String(keys[0]), /^[0-9a-f-]{36}$/);
    assert.deepEqual(keys, [keys[0], keys[0], keys[0]]);
  });

  test("a read is tried again too, without a key", async (t) => {
    const { proxy, client } = await through(t, ["break", { status: 503, headers: html }]);
    await client.sessions.list({ gameId: game });
    assert.equal(proxy.requests.length, 3);
    assert.equal(proxy.requests[0]?.["idempotency-key"], undefined);
  });

  test("a key of the caller's own is sent as it is, and so is the client's timeout", async (t) => {
    const { proxy, client } = await through(t, ["break"], { timeout: 12_345 });
    await client.checkout({ ...coins, userId: "keyed" }, { idempotencyKey: "order-7" });
    const sent = proxy.requests.map((headers) => [headers["idempotency-key"], headers["connect-timeout-ms"]]);
    assert.deepEqual(sent, [
      ["order-7", "12345"],
      ["order-7", "12345"],
    ]);
  });

  test("Retry-After is waited for", async (t) => {
    const { client } = await through(t, [{ status: 429, headers: { ...html, "Retry-After": "1" } }]);
    const started = performance.now();
    await client.sessions.list({ gameId: game });
    assert(performance.now() - started > 990); // timers may be a little early
  });

  test("an attempt that takes too long is given up and made again", async (t) => {
    const { proxy, client } = await through(t, ["hang"], { timeout: 10_000 });
    await client.checkout({ ...coins, userId: "slow" }, { timeout: 1500 });
    assert.deepEqual(
      proxy.requests.map((headers) => headers["connect-timeout-ms"]),
      ["1500", "1500"],
    );
  });
});

describe("what is not tried again", { concurrency: true }, () => {
  test("a refusal", async (t) => {
    const { proxy, client } = await through(t, []);
    const error = await failure(client.sessions.get({ id: "sess_nobody" }));
    assert.equal(error.retryable, false);
    assert.equal(proxy.requests.length, 1);
  });

  test("anything more often than it was asked to", async (t) => {
    const bad: Fate = { status: 502, headers: html, body: "<h1>Bad Gateway</h1>" };
    const { proxy, client } = await through(t, [bad, bad, bad]);
    const error = await failure(client.sessions.get({ id: "sess_a" }));
    assert.deepEqual(
      [error.code, error.httpStatus, error.retryable, proxy.requests.length],
      ["unavailable", 502, true, 3],
    );
    const once = await through(t, ["break"], { retries: 0 });
    assert.equal((await failure(once.client.checkout(coins))).code, "unavailable");
    assert.equal(once.proxy.requests.length, 1);
  });

  test("what is to be tried an hour later", async (t) => {
    const { proxy, client } = await through(t, [{ status: 503, headers: { ...html, "Retry-After": "3600" } }]);
    const error = await failure(client.sessions.get({ id: "sess_a" }));
    assert.deepEqual([error.code, error.retryAfter, proxy.requests.length], ["unavailable", 3600, 1]);
  });

  test("a call to something that is not Coinslot", async (t) => {
    const { proxy, client } = await through(t, [
      { status: 200, headers: html, body: "<h1>Hello</h1>" },
      { status: 404, headers: html },
      { status: 301, headers: { Location: "https://elsewhere.test" } },
    ]);
    for (const [code, httpStatus] of [
      ["unknown", 200],
      ["not_found", 404],
      ["unknown", 301],
    ] as const) {
      const error = await failure(client.sessions.get({ id: "sess_a" }));
      assert.deepEqual([error.code, error.httpStatus], [code, httpStatus]);
      assert(error.message.startsWith(`${proxy.url} answered ${httpStatus}, and not as Coinslot does`));
    }
    assert.equal(proxy.requests.length, 3);
  });
});

describe("a caller who gives up", { concurrency: true }, () => {
  test("during an attempt gets its own reason, and no more attempts are made", async (t) => {
    const { proxy, client } = await through(t, ["hang"], { retries: 0 });
    const gone = new AbortController();
    const call = client.sessions.get({ id: "sess_a" }, { signal: gone.signal });
    await proxy.heard();
    const reason = new Error("the player left");
    gone.abort(reason);
    await assert.rejects(call, (error) => error === reason);
    assert.equal(proxy.requests.length, 1);
  });

  test("between two attempts does not wait for the next", async (t) => {
    const { proxy, client } = await through(t, [{ status: 503, headers: { ...html, "Retry-After": "50" } }]);
    const gone = new AbortController();
    const call = client.sessions.get({ id: "sess_a" }, { signal: gone.signal });
    await proxy.heard();
    const started = performance.now();
    setTimeout(() => gone.abort(), 200);
    await assert.rejects(call, { name: "AbortError" });
    assert(performance.now() - started < 25_000);
    assert.equal(proxy.requests.length, 1);
  });

  test("before the call does not make it", async (t) => {
    const { proxy, client } = await through(t, []);
    await assert.rejects(client.checkout(coins, { signal: AbortSignal.abort() }), { name: "AbortError" });
    assert.equal(proxy.requests.length, 0);
  });
});

test("where nothing listens the error says so, and where", async (t) => {
  const { proxy, client } = await through(t, [], { retries: 0 });
  proxy.stop();
  const error = await failure(client.sessions.get({ id: "sess_a" }));
  assert.deepEqual(
    [error.code, error.rpcCode, error.httpStatus, error.retryable],
    ["unavailable", "unavailable", undefined, true],
  );
  assert.match(error.message, new RegExp(`^no answer from ${proxy.url}: .*ECONNREFUSED`));
});

test("an idempotency key that cannot be one is refused before it is sent", async (t) => {
  const { proxy, client } = await through(t, []);
  for (const idempotencyKey of ["", " ", "a\nb", "schlüssel", "order 1 ", "a".repeat(256)]) {
    const error = await failure(client.checkout(coins, { idempotencyKey }));
    assert.deepEqual([error.code, error.retryable], ["invalid_idempotency_key", false]);
  }
  assert.equal(proxy.requests.length, 0);
  await client.checkout({ ...coins, userId: "longest" }, { idempotencyKey: "~".repeat(255) });
  await client.checkout({ ...coins, userId: "spaced" }, { idempotencyKey: "order 1" });
});

test("a timeout that cannot be kept is refused", async () => {
  await assert.rejects(server.client().sessions.get({ id: "sess_a" }, { timeout: 0 }), TypeError);
});

test("pauses double from half a second to eight, spread over their later half", () => {
  const ends = (attempt: number) => [pause(attempt, undefined, 0), pause(attempt, undefined, 1)];
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map(ends), [
    [250, 500],
    [500, 1000],
    [1000, 2000],
    [2000, 4000],
    [4000, 8000],
    [4000, 8000],
    [4000, 8000],
  ]);
  assert.equal(pause(0, 3, 1), 3000);
  assert.equal(pause(5, 1, 1), 8000);
  assert.equal(pause(0, 60, 0), 60_000);
  assert.equal(pause(0, 61, 0), undefined);
});
