import type { Caller } from "./call.js";
import type { CoinslotEvent, EventType } from "./event.js";
import { EventService, type ListEventsRequest, type ListEventsResponse } from "./gen/pay/v1/event_pb.js";
import type { CallOptions } from "./options.js";
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
}
