// What must not compile, and what must. It is never run: the compiler is the test.
import { Coinslot, verifyWebhook, type CoinslotEvent, type Session } from "@coinslot/sdk";

const client = new Coinslot();
const item = { title: "50 Gold Coins", price: 499, currency: "USD" };
const coins = { gameId: "space_shooter", userId: "player_42", item, returnUrl: "mygame://paid" };

export async function compiles(): Promise<void> {
  const session: Session = await client.checkout(coins);
  const price: number = session.item.price;
  const when: Date = session.createdAt;
  const paid: Date | undefined = session.paidAt;
  await client.checkout(
    { ...coins, expiresIn: 900, metadata: { values: { level: "12" } } },
    { idempotencyKey: "1", timeout: 1000 },
  );
  await client.sessions.list({ gameId: "space_shooter", status: "paid", cursor: undefined });
  for await (const { id } of client.sessions.all({ gameId: "space_shooter" })) {
    const text: string = id;
    void text;
  }
  void [price, when, paid];
}

export function narrows(event: CoinslotEvent): void {
  switch (event.type) {
    case "payment.succeeded":
      void event.data.payment.amount.toFixed();
      break;
    case "refund.failed":
      void event.data.refund.error?.code;
      break;
    case "session.paid":
      void event.data.session.item.title;
      void event.timestamp.getTime();
      // @ts-expect-error: a session event need not have a payment
      void event.data.payment.amount;
      break;
    case "endpoint.test":
      // @ts-expect-error: a test is about no session
      void event.data.session.item;
      break;
    // @ts-expect-error: there is no such event
    case "session.payed":
      break;
  }
}

export async function refuses(): Promise<void> {
  // @ts-expect-error: an option that there is not
  void new Coinslot({ token: "sk_sandbox_" });
  // @ts-expect-error: an environment that there is not
  void new Coinslot({ environment: "test" });
  // @ts-expect-error: a field that there is not
  await client.checkout({ ...coins, colour: "red" });
  // @ts-expect-error: a field of the item that there is not
  await client.checkout({ ...coins, item: { ...item, prize: 1 } });
  // @ts-expect-error: a price in text
  await client.checkout({ ...coins, item: { ...item, price: "499" } });
  // @ts-expect-error: no item
  await client.checkout({ gameId: "space_shooter", userId: "player_42", returnUrl: "mygame://paid" });
  // @ts-expect-error: a name as it is on the wire
  await client.checkout({ ...coins, return_url: "mygame://paid" });
  // @ts-expect-error: no game
  await client.sessions.list({ userId: "player_42" });
  // @ts-expect-error: a status that there is not
  await client.sessions.list({ gameId: "space_shooter", status: "payed" });
  // @ts-expect-error: pages follow each other by cursor
  client.sessions.all({ gameId: "space_shooter", offset: 10 });
  // @ts-expect-error: a read has no idempotency key
  await client.sessions.get({ id: "sess_a" }, { idempotencyKey: "1" });
  // @ts-expect-error: an id is in an object
  await client.sessions.get("sess_a");
  // @ts-expect-error: a status that there is not
  void ((await client.sessions.status({ id: "sess_a" })).status === "payed");
  // @ts-expect-error: an amount in text
  await client.refund({ paymentId: "pay_a", amount: "100" });
  // @ts-expect-error: a type that there is not
  await client.events.list({ types: ["session.payed"] });
  // @ts-expect-error: a body that was parsed
  verifyWebhook({ body: {}, headers: {}, secrets: "whsec_" });
}
