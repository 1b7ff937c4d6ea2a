import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { verifyWebhook, WebhookError, type CoinslotEvent, type WebhookRequest } from "@coinslot/sdk";
import { coins, game, Server } from "./server.js";

interface Vector {
  name: string;
  secrets: string[];
  headers: Record<string, string>;
  body: string;
  now: number;
  tolerance: number;
  accepted: boolean;
  reason?: string;
  event?: Record<string, unknown>;
}

// Shared by the SDKs in all languages.
const { vectors } = JSON.parse(readFileSync(join(import.meta.dirname, "../../webhook-vectors.json"), "utf8")) as {
  vectors: Vector[];
};

const request = ({ secrets, headers, body, now, tolerance }: Vector): WebhookRequest => ({
  secrets,
  headers,
  body,
  toleranceSeconds: tolerance,
  now: new Date(now * 1000),
});

/** What is wrong with a secret is the receiver's mistake, and does not show it. */
const mistake = ({ secrets }: Vector) => (error: Error) =>
  error instanceof TypeError &&
  /secret/.test(error.message) &&
  !secrets.some((secret) => secret.length > "whsec_".length && error.message.includes(secret));

describe("the shared vectors", () => {
  assert(vectors.length > 100);
  for (const vector of vectors) {
    test(vector.name, () => {
      for (const body of [vector.body, Buffer.from(vector.body), new Uint8Array(Buffer.from(vector.body))]) {
        for (const headers of [vector.headers, new Headers(vector.headers)]) {
          const check = () => verifyWebhook({ ...request(vector), body, headers });
          if (!vector.accepted) {
            if (vector.reason === "secret") {
              assert.throws(check, mistake(vector));
              continue;
            }
            assert.throws(check, (error: unknown) => {
              assert(error instanceof WebhookError, String(error));
              assert.equal(error.reason, vector.reason);
              return true;
            });
            continue;
          }
          const { id, type, sequence, environment, data } = check();
          const { sessionId, paymentId, refundId } = data;
          const told = {
            id,
            type,
            sequence,
            environment,
            session_id: sessionId,
            payment_id: paymentId,
            refund_id: refundId,
          };
          assert.deepEqual(JSON.parse(JSON.stringify(told)), vector.event);
        }
      }
    });
  }
});

const good = vectors.find(({ name }) => name === "Standard Webhooks: a good signature")!;
const goodToffeePay = vectors.find(({ name }) => name === "ToffeePay: a good signature")!;

describe("arguments", () => {
  const wrong: [string, Partial<Record<keyof WebhookRequest, unknown>>, RegExp][] = [
    ["a body that was parsed", { body: JSON.parse(good.body) }, /body must be the bytes/],
    ["no secret", { secrets: undefined }, /secrets must hold/],
    ["a secret that is not set", { secrets: [undefined] }, /each secret must be/],
    ["a tolerance that is no number", { toleranceSeconds: NaN }, /toleranceSeconds must be/],
    ["a date that is none", { now: new Date("nonsense") }, /now a valid date/],
  ];
  for (const [name, change, message] of wrong) {
    test(`${name} is refused`, () => {
      for (const vector of [good, goodToffeePay]) {
        const call = () => verifyWebhook({ ...request(vector), ...change } as WebhookRequest);
        assert.throws(call, (error: Error) => error instanceof TypeError && message.test(error.message));
      }
    });
  }

  test("one secret need not be in a list", () => {
    assert.equal(verifyWebhook({ ...request(good), secrets: good.secrets[0]! }).type, "payment.succeeded");
  });

  test("bytes that are no text, or more than that, are no event", () => {
    const [secret = ""] = good.secrets;
    const named = (...id: number[]) =>
      Buffer.concat([Buffer.from('{"type":"session.paid","id":"'), Buffer.from(id), Buffer.from('"}')]);
    const verified = (body: Buffer) => {
      const v1 = createHmac("sha256", secret).update(`${good.now}.`).update(body).digest("hex");
      const headers = { "x-toffeepay-signature": `t=${good.now},v1=${v1}` };
      return verifyWebhook({ ...request(good), headers, body });
    };
    assert.equal(verified(named(0x61)).id, "a");
    assert.throws(() => verified(named(0xff)), { reason: "malformed_body" });
    const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
    assert.throws(() => verified(Buffer.concat([byteOrderMark, named(0x61)])), { reason: "malformed_body" });
  });

  test("the time is that of this machine, and the tolerance five minutes, unless told otherwise", () => {
    const {
      secrets: [secret = ""],
      body,
    } = good;
    const signed = (age: number) => {
      const t = Math.floor(Date.now() / 1000) - age;
      const v1 = createHmac("sha256", secret).update(`${t}.${body}`).digest("hex");
      return { secrets: secret, body, headers: { "X-ToffeePay-Signature": `t=${t},v1=${v1}` } };
    };
    assert.equal(verifyWebhook(signed(290)).id, "01978c2e-0000-7000-8000-000000000003");
    assert.throws(() => verifyWebhook(signed(310)), { reason: "timestamp_out_of_tolerance" });
  });
});

describe("a real server's webhooks", () => {
  test("are believed by both signatures, and tell what happened", async (t) => {
    const server = await Server.start();
    t.after(() => server.stop());
    const received: { body: Buffer; headers: IncomingMessage["headers"] }[] = [];
    const receiver = createServer((request: IncomingMessage, response: ServerResponse) => {
      void buffer(request).then((body) => {
        received.push({ body, headers: request.headers });
        response.writeHead(204).end();
        receiver.emit("received");
      });
    }).listen(0, "127.0.0.1");
    t.after(() => receiver.close());
    await once(receiver, "listening");
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const secret = await server.run("webhooks", "create", "--game", game, "--environment", "sandbox", "--url", url);

    const session = await server.client().checkout({ ...coins, orderId: "1001" });
    await server.pay(session);
    while (received.length < 4) {
      await once(receiver, "received");
    }
    for (const { body, headers } of received) {
      const event = verifyWebhook({ body, headers, secrets: secret });
      const { "webhook-signature": _, ...documented } = headers;
      assert.deepEqual(verifyWebhook({ body, headers: documented, secrets: secret }), event);
      assert.throws(() => verifyWebhook({ body: `${body} `, headers, secrets: secret }), { reason: "wrong_signature" });
    }
    const events = received
      .map(({ body, headers }) => verifyWebhook({ body, headers, secrets: secret }))
      .sort((a, b) => a.sequence - b.sequence);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["session.created", "payment.created", "payment.succeeded", "session.paid"],
    );
    const paid = events[3] as CoinslotEvent;
    assert(paid.type === "session.paid");
    assert.equal(paid.data.session.orderId, "1001");
    assert.equal(paid.data.userId, "player_42");
    assert(paid.data.session.paidAt instanceof Date);
    assert.deepEqual(paid.data.session, await server.client().sessions.get({ id: session.id }));
    assert.deepEqual(await server.client().events.get({ id: paid.id }), paid);
  });
});
