import { Caller } from "./call.js";
import type { Environment, Refund, Session } from "./entities.js";
import { Events } from "./events.js";
import { settings, type ChangeOptions, type CoinslotOptions } from "./options.js";
import { Payments } from "./payments.js";
import { Refunds, type RefundParams } from "./refunds.js";
import { Sessions, type CheckoutParams } from "./sessions.js";

/**
 * A client of a Coinslot server. Make one and share it: it keeps its connections open, and lets the
 * process end while they are idle.
 *
 * Every method rejects with a CoinslotError where the server refuses or cannot be reached.
 */
export class Coinslot {
  /** Where the server is. */
  readonly baseUrl: string;

  /** The environment of the key; undefined where the key does not tell. */
  readonly environment: Environment | undefined;

  /** Sessions: one thing each that one player may buy once. */
  readonly sessions: Sessions;

  /** Payments: one attempt each to pay for a session. */
  readonly payments: Payments;

  /** Refunds: money returned from a payment. */
  readonly refunds: Refunds;

  /** Events: what happened. */
  readonly events: Events;

  /** Makes a client. Throws a TypeError where an option is missing or wrong. */
  constructor(options: CoinslotOptions = {}) {
    const chosen = settings(options);
    const caller = new Caller(chosen);
    this.baseUrl = chosen.baseUrl;
    this.environment = chosen.environment;
    this.sessions = new Sessions(caller);
    this.payments = new Payments(caller);
    this.refunds = new Refunds(caller);
    this.events = new Events(caller);
  }

  /** Offers one item to one player; send the player to the `url` of the session. The same as `sessions.create`. */
  checkout(params: CheckoutParams, options?: ChangeOptions): Promise<Session> {
    return this.sessions.create(params, options);
  }

  /** Returns money from a payment that succeeded. The same as `refunds.create`. */
  refund(params: RefundParams, options?: ChangeOptions): Promise<Refund> {
    return this.refunds.create(params, options);
  }
}
