import type { Caller } from "./call.js";
import type { Refund, RefundStatus } from "./entities.js";
import {
  RefundService,
  type CreateRefundRequest,
  type ListRefundsRequest,
  type ListRefundsResponse,
} from "./gen/pay/v1/refund_pb.js";
import type { CallOptions, ChangeOptions } from "./options.js";
import { pages } from "./paging.js";
import type { Plain } from "./plain.js";

/** What to return, and why. */
export interface RefundParams extends Plain<CreateRefundRequest> {}

/** Which refunds to list; filters that are set must all match. */
export interface ListRefundsParams extends Plain<ListRefundsRequest> {
  /** Only refunds with this status. */
  status?: RefundStatus | undefined;
}

/** One page of refunds. */
export interface RefundPage extends Plain<ListRefundsResponse> {
  refunds: Refund[];
}

/** Refunds: money returned from a payment. */
export class Refunds {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Returns money from a payment that succeeded: `amount` of it, or all that is left. */
  async create(params: RefundParams, options?: ChangeOptions): Promise<Refund> {
    const answer = await this.#caller.change(RefundService.method.createRefund, params, options);
    return answer.refund as Refund;
  }

  /** The refund as it is now. */
  async get(params: { id: string }, options?: CallOptions): Promise<Refund> {
    const answer = await this.#caller.read(RefundService.method.getRefund, params, options);
    return answer.refund as Refund;
  }

  /** One page of refunds, newest first. */
  async list(params: ListRefundsParams = {}, options?: CallOptions): Promise<RefundPage> {
    return (await this.#caller.read(RefundService.method.listRefunds, params, options)) as RefundPage;
  }

  /** All refunds, newest first, asked for as they are used, `limit` at a time. */
  async *all(
    params: Omit<ListRefundsParams, "offset"> = {},
    options?: CallOptions,
  ): AsyncGenerator<Refund, void, undefined> {
    for await (const page of pages((cursor) => this.list({ ...params, cursor }, options), params.cursor)) {
      yield* page.refunds;
    }
  }
}
