import { isDeepStrictEqual } from "node:util";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Caller } from "./call.js";
import type { Session, SessionStatus } from "./entities.js";
import { EventService } from "./gen/pay/v1/event_pb.js";
import {
  PaymentService,
  type CreateSessionRequest,
  type Item,
  type ListSessionsRequest,
} from "./gen/pay/v1/payment_pb.js";
import type * as pb from "./gen/pay/v1/payment_pb.js";
import type { CallOptions, ChangeOptions, WatchOptions } from "./options.js";
import { pages } from "./paging.js";
import type { Plain } from "./plain.js";

/** The item to sell. */
export interface ItemParams extends Omit<Plain<Item>, "exponent"> {}

/** What is sold, to whom, and where the player goes afterwards. */
export interface CheckoutParams extends Omit<Plain<CreateSessionRequest>, "item" | "metadata" | "expiresIn"> {
  /** What is sold. */
  item: ItemParams;

  /** What to keep with the session: `offerId`, and in `values` at most 50 pairs of your own. */
  metadata?: Partial<Plain<pb.SessionMetadata>> | undefined;

  /** How many seconds it can be paid, from 60 to 2,592,000; by default the game's setting, a day unless changed. */
  expiresIn?: number | undefined;
}

/** Which sessions to list; filters that are set must all match. */
export interface ListSessionsParams extends Plain<ListSessionsRequest> {
  /** Only sessions with this status. */
  status?: SessionStatus | undefined;
}

/** One page of sessions. */
export interface SessionPage extends Plain<pb.ListSessionsResponse> {
  sessions: Session[];
}

/** Where a session stands. */
export interface StatusOfSession extends Plain<pb.GetSessionStatusResponse> {
  status: SessionStatus;
}

/** Sessions: one thing each that one player may buy once. */
export class Sessions {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Offers one item to one player; send the player to the `url` of the session. */
  async create(params: CheckoutParams, options?: ChangeOptions): Promise<Session> {
    const expiresIn = params.expiresIn === undefined ? undefined : durationFromMs(params.expiresIn * 1000);
    const answer = await this.#caller.change(PaymentService.method.createSession, { ...params, expiresIn }, options);
    return answer.session as Session;
  }

  /** The session as it is now. */
  async get(params: { id: string }, options?: CallOptions): Promise<Session> {
    const answer = await this.#caller.read(PaymentService.method.getSession, params, options);
    return answer.session as Session;
  }

  /** Where the session stands now, for callers that poll. */
  async status(params: { id: string }, options?: CallOptions): Promise<StatusOfSession> {
    return (await this.#caller.read(PaymentService.method.getSessionStatus, params, options)) as StatusOfSession;
  }

  /** One page of a game's sessions, newest first. */
  async list(params: ListSessionsParams, options?: CallOptions): Promise<SessionPage> {
    return (await this.#caller.read(PaymentService.method.listSessions, params, options)) as SessionPage;
  }

  /** All of a game's sessions, newest first, asked for as they are used, `limit` at a time. */
  async *all(
    params: Omit<ListSessionsParams, "offset">,
    options?: CallOptions,
  ): AsyncGenerator<Session, void, undefined> {
    for await (const page of pages((cursor) => this.list({ ...params, cursor }, options), params.cursor)) {
      yield* page.sessions;
    }
  }

  /**
   * The session as it is now, and then after each change until its status is final: it need not be asked for again
   * and again. Changes that follow each other closely can come as one. A connection that breaks is made anew.
   */
  async *watch(params: { id: string }, options?: WatchOptions): AsyncGenerator<Session, void, undefined> {
    let last: Session | undefined;
    for await (const { session } of this.#caller.watch(EventService.method.watchSession, () => params, options)) {
      if (session === undefined || isDeepStrictEqual(session, last)) {
        continue; // a heartbeat, or told again by another connection
      }
      last = session as Session;
      yield last;
      if (last.status !== "pending") {
        return;
      }
    }
  }

  /** Withdraws an offer that nobody has paid for. */
  async cancel(params: { id: string }, options?: ChangeOptions): Promise<void> {
    await this.#caller.change(PaymentService.method.cancelSession, params, options);
  }
}
