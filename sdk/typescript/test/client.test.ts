import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";
import { Coinslot, CoinslotError, type Session } from "@coinslot/sdk";
import { coins, game, Server } from "./server.js";

let server: Server;
let client: Coinslot;

before(async () => {
  server = await Server.start();
  client = server.client();
});
after(() => server.stop());

/** What a refusal looks like. */
function refusal(code: string, httpStatus: number, message: RegExp = /./) {
  return (error: unknown) => {
    assert(error instanceof CoinslotError);
    assert.deepEqual({ code: error.code, httpStatus: error.httpStatus }, { code, httpStatus });
    assert.match(error.message, message);
    return true;
  };
}

describe("sessions", () => {
  test("the documented calls work as written", async () => {
    const { gameId, userId, item, returnUrl } = coins;
    const { key: accessToken, url: baseUrl } = server;

    const client = new Coinslot({ accessToken, baseUrl });
    const session = await client.checkout({ gameId, userId, item, returnUrl });
    assert.match(session.url, new RegExp(`^${server.url}/.*sess_`));
    const { id } = session;
    assert.equal((await client.sessions.status({ id })).status, "pending");
    assert.equal(await server.pay(session), "paid");
    assert((await client.sessions.status({ id })).status === "paid");
  });

  test("a session is a plain object: all that was asked for, dates, and nothing that is not set", async () => {
    const asked = {
      ...coins,
      item: { ...coins.item, country: "DE", image: "https://example.com/coins.png" },
      cancelUrl: "mygame://shop",
      metadata: { offerId: "summer", values: { level: "12" } },
      expiresIn: 900,
      orderId: "1001",
      locale: "de",
    };
    const session = await client.sessions.create(asked);
    const { id, url, createdAt, expiresAt, ...rest } = session;
    assert.deepEqual(rest, {
      status: "pending",
      userId: "player_42",
      gameId: game,
      item: { ...asked.item, exponent: 2 },
      metadata: asked.metadata,
      returnUrl: coins.returnUrl,
      cancelUrl: "mygame://shop",
      orderId: "1001",
      environment: "sandbox",
    });
    assert(createdAt instanceof Date && expiresAt instanceof Date);
    assert.equal(expiresAt.getTime() - createdAt.getTime(), 900_000);
    assert.deepEqual(await client.sessions.get({ id }), session);
    assert.equal(JSON.parse(JSON.stringify(session)).createdAt, createdAt.toISOString());
  });

  test("metadata may have values and no offer", async () => {
    const session = await client.checkout({ ...coins, metadata: { values: { level: "12" } } });
    assert.deepEqual(session.metadata, { values: { level: "12" } });
  });

  test("metadata comes back as it was, whatever its names look like", async () => {
    const values = { $price: "1", $typeName: "google.protobuf.Timestamp", toString: "2" };
    const session = await client.checkout({ ...coins, metadata: { values } });
    assert.deepEqual((await client.sessions.get({ id: session.id })).metadata, { values });
  });

  test("fields that are undefined are as good as absent", async () => {
    const session = await client.checkout({ ...coins, orderId: undefined, metadata: undefined, expiresIn: undefined });
    assert.equal("orderId" in session, false);
    assert.equal("metadata" in session, false);
  });

  test("cancel withdraws the offer, and again", async () => {
    const session = await client.checkout(coins);
    assert.equal(await client.sessions.cancel({ id: session.id }), undefined);
    await client.sessions.cancel({ id: session.id });
    const cancelled = await client.sessions.get({ id: session.id });
    assert.equal(cancelled.status, "cancelled");
    assert(cancelled.cancelledAt instanceof Date);
  });

  test("list gives a page, all gives every page", async () => {
    const userId = "collector";
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      made.unshift((await client.checkout({ ...coins, userId })).id);
    }
    const page = await client.sessions.list({ gameId: game, userId, limit: 2 });
    assert.deepEqual(
      page.sessions.map(({ id }) => id),
      made.slice(0, 2),
    );
    assert.deepEqual({ total: page.total, hasMore: page.hasMore }, { total: 5, hasMore: true });

    const ids = async (sessions: AsyncIterable<Session>) => {
      const found = [];
      for await (const { id } of sessions) {
        found.push(id);
      }
      return found;
    };
    assert.deepEqual(await ids(client.sessions.all({ gameId: game, userId, limit: 2 })), made);
    assert.deepEqual(
      await ids(client.sessions.all({ gameId: game, userId, limit: 2, cursor: page.nextCursor })),
      made.slice(2),
    );
    assert.deepEqual(await ids(client.sessions.all({ gameId: game, userId, status: "paid" })), []);
    const second = await client.sessions.list({ gameId: game, userId, limit: 2, offset: 4 });
    assert.deepEqual([second.sessions.length, second.hasMore, second.nextCursor], [1, false, undefined]);
  });
});

describe("payments", () => {
  test("get tells of a payment, list of those that brought money", async () => {
    const session = await client.checkout({ ...coins, userId: "payer" });
    await server.pay(session, "--method", "apple_pay");
    const { paymentId } = await client.sessions.get({ id: session.id });
    assert(paymentId);
    const payment = await client.payments.get({ id: paymentId, withExtraData: true });
    const { createdAt, succeededAt, ...rest } = payment;
    assert.deepEqual(rest, {
      id: paymentId,
      sessionId: session.id,
      status: "succeeded",
      amount: 499,
      currency: "USD",
      method: "apple_pay",
      details: "50 Gold Coins",
      extraData: { realAmount: 499, bonusAmount: 0 },
      refundedAmount: 0,
      exponent: 2,
      gameId: game,
      userId: "payer",
      environment: "sandbox",
    });
    assert(createdAt instanceof Date && succeededAt instanceof Date);
    const page = await client.payments.list({ gameId: game, userId: "payer", withExtraData: true });
    assert.deepEqual(page, { payments: [payment], total: 1, hasMore: false });
    for await (const { id } of client.payments.all({ gameId: game, userId: "payer" })) {
      assert.equal(id, paymentId);
    }
  });

  test("a declined card is told with its documented code", async () => {
    const session = await client.checkout(coins);
    assert.equal(await server.pay(session, "--card", "4000000000000002"), "failed");
    const { paymentId = "" } = await client.sessions.get({ id: session.id });
    const payment = await client.payments.get({ id: paymentId });
    assert.equal(payment.status, "failed");
    assert.equal(payment.error?.code, "card_declined");
  });

  test("complete takes the money of an authorized payment, cancel releases it", async () => {
    await server.run("games", "create", "manual", "--capture", "manual");
    const accessToken = await server.run("keys", "create", "--game", "manual", "--environment", "sandbox");
    const client = server.client({ accessToken });
    const authorize = async () => {
      const { id } = await client.checkout({ ...coins, gameId: "manual" });
      assert.equal(await server.pay({ id }), "pending");
      const { paymentId = "" } = await client.sessions.get({ id });
      return { id, paymentId };
    };
    const taken = await authorize();
    assert.equal((await client.payments.get({ id: taken.paymentId })).status, "authorized");
    assert.equal(await client.payments.complete({ id: taken.paymentId }), undefined);
    assert.equal((await client.sessions.status(taken)).status, "paid");

    const released = await authorize();
    assert.equal(await client.payments.cancel({ id: released.paymentId }), undefined);
    assert.equal((await client.payments.get({ id: released.paymentId })).status, "cancelled");
    await assert.rejects(client.payments.complete({ id: released.paymentId }), refusal("payment_not_authorized", 400));
  });
});

describe("refunds", () => {
  test("parts, then what is left, then no more", async () => {
    const session = await client.checkout(coins);
    await server.pay(session);
    const { paymentId = "" } = await client.sessions.get({ id: session.id });

    const part = await client.refund({ paymentId, amount: 100, reason: "lag" });
    assert.deepEqual(
      {
        paymentId: part.paymentId,
        amount: part.amount,
        currency: part.currency,
        reason: part.reason,
        exponent: part.exponent,
      },
      { paymentId, amount: 100, currency: "USD", reason: "lag", exponent: 2 },
    );
    assert(part.createdAt instanceof Date);
    assert.equal((await client.refunds.get({ id: part.id })).id, part.id);
    const rest = await client.refunds.create({ paymentId });
    assert.equal(rest.amount, 399);
    await assert.rejects(client.refund({ paymentId }), refusal("already_refunded", 400));

    const page = await client.refunds.list({ paymentId, limit: 1 });
    assert.deepEqual([page.refunds.map(({ id }) => id), page.total, page.hasMore], [[rest.id], 2, true]);
    const all = [];
    for await (const { id } of client.refunds.all({ paymentId, limit: 1 })) {
      all.push(id);
    }
    assert.deepEqual(all, [rest.id, part.id]);
    assert.equal((await client.payments.get({ id: paymentId })).status, "refunded");
  });
});

describe("events", () => {
  test("list, get and all tell what happened to a session", async () => {
    const session = await client.checkout(coins);
    await server.pay(session);
    const sessionId = session.id;
    const first = await client.events.list({ sessionId, limit: 1 });
    const [created] = first.events;
    assert(created?.type === "session.created");
    assert.equal(created.data.session.item.title, "50 Gold Coins");
    assert.equal(created.environment, "sandbox");
    assert(created.timestamp instanceof Date);
    assert.equal(first.hasMore, true);
    assert.deepEqual(await client.events.get({ id: created.id }), created);

    const types = [];
    for await (const event of client.events.all({ sessionId, limit: 1, cursor: first.nextCursor })) {
      types.push(event.type);
      if (event.type === "payment.succeeded") {
        assert.equal(event.data.payment.amount, 499);
        assert.equal(event.data.session.id, sessionId);
      }
    }
    assert.deepEqual(types, ["payment.created", "payment.succeeded", "session.paid"]);
  });

  test("the cursor of the last page goes on with what happens later", async () => {
    const session = await client.checkout(coins);
    const sessionId = session.id;
    const before = await client.events.list({ sessionId });
    assert.deepEqual([before.events.length, before.hasMore], [1, false]);
    await client.sessions.cancel({ id: sessionId });
    const later = await client.events.list({ sessionId, types: ["session.cancelled"], cursor: before.nextCursor });
    assert.deepEqual(
      later.events.map(({ type }) => type),
      ["session.cancelled"],
    );
  });
});

describe("refusals", () => {
  test("have the documented code, and name the field", async () => {
    const wrong = { ...coins, item: { ...coins.item, price: -5 } };
    await assert.rejects(client.checkout(wrong), (error: CoinslotError) => {
      assert.deepEqual(
        {
          name: error.name,
          code: error.code,
          rpcCode: error.rpcCode,
          httpStatus: error.httpStatus,
          retryable: error.retryable,
        },
        {
          name: "CoinslotError",
          code: "invalid_price",
          rpcCode: "invalid_argument",
          httpStatus: 400,
          retryable: false,
        },
      );
      assert.match(error.message, /^item\.price must be .*-5$/);
      return true;
    });
    await assert.rejects(client.sessions.get({ id: "sess_nobody" }), refusal("session_not_found", 404));
    await assert.rejects(client.payments.get({ id: "pay_nobody" }), refusal("payment_not_found", 404));
    await assert.rejects(client.checkout({ ...coins, expiresIn: 1 }), refusal("invalid_expires_in", 400));
    await assert.rejects(
      server.client({ accessToken: "sk_sandbox_wrong" }).sessions.get({ id: "sess_a" }),
      refusal("unauthorized", 401),
    );
    const readOnly = await server.run("keys", "create", "--environment", "sandbox", "--read-only");
    await assert.rejects(server.client({ accessToken: readOnly }).checkout(coins), refusal("forbidden", 403));
  });

  test("what cannot be written on the wire is refused before it is sent", async () => {
    const unreachable = new Coinslot({ accessToken: server.key, baseUrl: "http://127.0.0.1:1" });
    const wrong = { ...coins, item: { ...coins.item, price: 4.99 } };
    await assert.rejects(unreachable.checkout(wrong), (error: CoinslotError) => {
      assert.deepEqual([error.code, error.httpStatus], ["invalid_request", undefined]);
      assert.match(error.message, /price.*4\.99/);
      return true;
    });
  });

  test("a request that is too large is refused, and not tried again", async () => {
    const image = `data:image/png;base64,${"A".repeat(8 << 20)}`;
    await assert.rejects(client.checkout({ ...coins, item: { ...coins.item, image } }), (error: CoinslotError) => {
      assert.deepEqual(
        [error.code, error.rpcCode, error.httpStatus, error.retryable],
        ["invalid_request", "resource_exhausted", 429, false],
      );
      return true;
    });
  });
});

describe("idempotency", () => {
  test("the same key with the same request is done once", async () => {
    const idempotencyKey = "order-1001";
    const first = await client.checkout(coins, { idempotencyKey });
    assert.equal((await client.checkout(coins, { idempotencyKey })).id, first.id);
    await assert.rejects(
      client.checkout({ ...coins, userId: "another" }, { idempotencyKey }),
      refusal("idempotency_conflict", 409),
    );
  });

  test("two calls without a key are two", async () => {
    assert.notEqual((await client.checkout(coins)).id, (await client.checkout(coins)).id);
  });
});

test("a client tells its key to nobody who looks at it", () => {
  assert(!inspect(client, { depth: 9, showHidden: true }).includes(server.key));
  assert(!JSON.stringify(client).includes(server.key));
});
