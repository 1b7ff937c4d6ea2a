import assert from "node:assert/strict";
import { after, before, describe, test, type TestContext } from "node:test";
import { CoinslotError, type Session, type WatchedEvent } from "@coinslot/sdk";
import { Proxy } from "./proxy.js";
import { coins, Server } from "./server.js";

let server: Server;

before(async () => {
  server = await Server.start();
});
after(() => server.stop());

/** A game of a test's own, and a client that reaches it over a network that can be cut. */
async function shop(t: TestContext, gameId: string, on = server) {
  await on.run("games", "create", gameId);
  const accessToken = await on.run("keys", "create", "--game", gameId, "--environment", "sandbox");
  const proxy = await Proxy.start(on.url);
  t.after(() => proxy.stop());
  const client = on.client({ accessToken, baseUrl: proxy.url });
  return { client, proxy, sell: () => client.checkout({ ...coins, gameId }) };
}

async function failure(promise: Promise<unknown>): Promise<CoinslotError> {
  const error = await promise.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error,
  );
  assert(error instanceof CoinslotError, String(error));
  return error;
}

describe("a session that is watched", { concurrency: true }, () => {
  test("is told as it is, and once it is paid, and then no more", async (t) => {
    const { client, sell } = await shop(t, "watched");
    const session = await sell();
    const told: Session[] = [];
    for await (const now of client.sessions.watch({ id: session.id })) {
      told.push(now);
      if (now.status === "pending" && told.length === 1) {
        assert.deepEqual(now, session);
        await server.pay(session);
      }
    }
    assert.equal(told.at(-1)?.status, "paid");
    assert.deepEqual(told.at(-1), await client.sessions.get({ id: session.id }));
  });

  test("is told again only once it has changed, whatever breaks", async (t) => {
    const { client, proxy, sell } = await shop(t, "cut_off");
    const session = await sell();
    const told: string[] = [];
    for await (const { status } of client.sessions.watch({ id: session.id })) {
      told.push(status);
      if (told.length === 1) {
        proxy.cut();
        void proxy.heard().then(() => client.sessions.cancel({ id: session.id }));
      }
    }
    assert.deepEqual(told, ["pending", "cancelled"]);
  });

  test("that is not there is an error, at once", async (t) => {
    const { client, proxy } = await shop(t, "nothing_here");
    const error = await failure(client.sessions.watch({ id: "sess_nobody" }).next());
    assert.deepEqual([error.code, error.retryable, proxy.requests.length], ["session_not_found", false, 1]);
    assert.match(proxy.requests[0]?.["user-agent"] ?? "", /^coinslot-typescript\//);
  });

  test("need not be watched to its end", async (t) => {
    const { client, proxy, sell } = await shop(t, "left");
    const { id } = await sell();
    for await (const { status } of client.sessions.watch({ id })) {
      assert.equal(status, "pending");
      break;
    }
    await proxy.left();
    const gone = new AbortController();
    const reason = new Error("the server shuts down");
    const watching = (async () => {
      for await (const _ of client.sessions.watch({ id }, { signal: gone.signal })) {
        setImmediate(() => gone.abort(reason));
      }
    })();
    await assert.rejects(watching, (error) => error === reason);
    await assert.rejects(client.sessions.watch({ id }, { signal: gone.signal }).next(), (error) => error === reason);
  });
});

describe("events that are watched", { concurrency: true }, () => {
  test("are those that were, and then each as it happens, by its type", async (t) => {
    const { client, sell } = await shop(t, "feed");
    const first = await sell();
    const types: string[] = [];
    const watching = client.events.watch({ types: ["session.created", "session.paid"] });
    for await (const { event, nextCursor } of watching) {
      assert(nextCursor);
      types.push(event.type);
      if (types.length === 1) {
        assert.equal(event.data.sessionId, first.id);
        await server.pay(first);
      }
      if (event.type === "session.paid") {
        break;
      }
    }
    assert.deepEqual(types, ["session.created", "session.paid"]);
  });

  test("begin where a consumer has come to", async (t) => {
    const { client, sell } = await shop(t, "consumed");
    const sold = [await sell(), await sell()];
    const [{ nextCursor }] = [await next(client.events.watch({ consumer: "granter" }))];
    assert.deepEqual(await client.events.acknowledge({ consumer: "granter", cursor: nextCursor }), {
      cursor: nextCursor,
    });
    assert.equal((await next(client.events.watch({ consumer: "granter" }))).event.data.sessionId, sold[1]?.id);
    const { events } = await client.events.list({ consumer: "granter" });
    assert.deepEqual(
      events.map(({ data }) => data.sessionId),
      [sold[1]?.id],
    );
    assert.equal((await failure(client.events.acknowledge({ consumer: "no way", cursor: nextCursor }))).code, "invalid_consumer");
    assert.equal((await failure(next(client.events.watch({ cursor: "nonsense" })))).code, "invalid_cursor");
  });

  test("are neither missed nor told twice while the server starts anew and connections break", async (t) => {
    const own = await Server.start();
    t.after(() => own.stop());
    const { client, proxy, sell } = await shop(t, "restarted", own);
    const want: string[] = [];
    const got: string[] = [];
    const sellOne = async () => want.push((await sell()).id);
    await sellOne();
    await sellOne();
    for await (const { event } of client.events.watch()) {
      got.push(String(event.data.sessionId));
      switch (got.length) {
        case 2:
          await own.restart();
          proxy.target = own.url;
          await sellOne();
          break;
        case 3:
          proxy.cut();
          await sellOne();
          await sellOne();
          break;
      }
      if (got.length === 5) {
        break;
      }
    }
    assert.deepEqual(got, want);
  });

  test("are given up like any call while nobody was reached, and never after that", async (t) => {
    const { client, proxy } = await shop(t, "unreachable");
    proxy.fates = ["break", "break", "break"];
    const error = await failure(client.events.watch().next());
    assert.deepEqual([error.code, proxy.requests.length], ["unavailable", 3]);
    proxy.fates = [{ status: 403, headers: { "Content-Type": "text/html" } }];
    assert.equal((await failure(client.events.watch().next())).code, "forbidden");
  });
});

async function next(watching: AsyncGenerator<WatchedEvent>): Promise<WatchedEvent> {
  const { value } = await watching.next();
  await watching.return(undefined);
  return value as WatchedEvent;
}
