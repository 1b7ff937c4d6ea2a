import type { Caller } from "./call.js";
import type { CoinslotEvent, EventType } from "./event.js";
import {
  EventService,
  type AcknowledgeEventsRequest,
  type ListEventsRequest,
  type ListEventsResponse,
  type WatchEventsRequest,
} from "./gen/pay/v1/event_pb.js";
import type { CallOptions, WatchOptions } from "./options.js";
import { pages } from "./paging.js";
import type { Plain } from "./plain.js";

/** Which events to list; filters that are set must all match. */
export interface ListEventsParams extends Omit<Plain<ListEventsRequest>, "types"> {
  /** Only events of these types; by default all. */
  types?: EventType[] | undefined;
}

/** One page of events. */
export interface EventPage extends Omit<Plain<ListEventsResponse>, "events"> {
  /** The events, oldest first. */
  events: CoinslotEvent[];
}

/** Which events to watch, and where to begin; filters that are set must all match. */
export interface WatchEventsParams extends Omit<Plain<WatchEventsRequest>, "types" | "fromNow"> {
  /** Only events of these types; by default all. */
  types?: EventType[] | undefined;

  /** Begin with what happens from now on, where neither `cursor` nor what `consumer` has acknowledged says otherwise. */
  fromNow?: boolean | undefined;
}

/** An event, and where to go on after it. */
export interface WatchedEvent {
  event: CoinslotEvent;

  /** Keep it once the event is worked off, and send it as `cursor` to go on after a restart. */
  nextCursor: string;
}

/** How far a consumer has come. */
export interface AcknowledgeParams extends Plain<AcknowledgeEventsRequest> {}

/** Events: what happened, in the order in which it was written. */
export class Events {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** The event, which never changes. */
  async get(params: { id: string }, options?: CallOptions): Promise<CoinslotEvent> {
    const answer = await this.#caller.read(EventService.method.getEvent, params, options);
    return answer.event as CoinslotEvent;
  }

  /** The events after a cursor, oldest first. Keep `nextCursor` and ask again later for those that come. */
  async list(params: ListEventsParams = {}, options?: CallOptions): Promise<EventPage> {
    return (await this.#caller.read(EventService.method.listEvents, params, options)) as EventPage;
  }

  /** All events so far, oldest first, asked for as they are used, `limit` at a time. */
  async *all(params: ListEventsParams = {}, options?: CallOptions): AsyncGenerator<CoinslotEvent, void, undefined> {
    for await (const page of pages((cursor) => this.list({ ...params, cursor }, options), params.cursor)) {
      yield* page.events;
    }
  }

  /**
   * The events that `list` would give, and then each one as it happens. A connection that breaks is made anew and goes
   * on after what was told last: nothing is missed, and nothing comes twice.
   */
  async *watch(
    params: WatchEventsParams = {},
    options?: WatchOptions,
  ): AsyncGenerator<WatchedEvent, void, undefined> {
    let { cursor } = params;
    const ask = () => ({ ...params, cursor });
    for await (const { event, nextCursor } of this.#caller.watch(EventService.method.watchEvents, ask, options)) {
      cursor = nextCursor;
      if (event !== undefined) {
        yield { event: event as CoinslotEvent, nextCursor };
      }
    }
  }

  /**
   * Moves the cursor that the server keeps for a consumer, so that `list` and `watch` go on there when they are asked
   * for that consumer. It never moves back.
   */
  async acknowledge(params: AcknowledgeParams, options?: CallOptions): Promise<{ cursor: string }> {
    return this.#caller.read(EventService.method.acknowledgeEvents, params, options); // doing it again does no harm
  }
}
