import type { Caller } from "./call.js";
import type { Payment } from "./entities.js";
import {
  PaymentService,
  type GetPaymentRequest,
  type ListPaymentsRequest,
  type ListPaymentsResponse,
} from "./gen/pay/v1/payment_pb.js";
import type { CallOptions, ChangeOptions } from "./options.js";
import { pages } from "./paging.js";
import type { Plain } from "./plain.js";

/** Which payment to get. */
export interface GetPaymentParams extends Plain<GetPaymentRequest> {}

/** Which payments to list; filters that are set must all match. */
export interface ListPaymentsParams extends Plain<ListPaymentsRequest> {}

/** One page of payments. */
export interface PaymentPage extends Plain<ListPaymentsResponse> {
  payments: Payment[];
}

/** Payments: one attempt each to pay for a session. */
export class Payments {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** The payment as it is now, whatever its status. */
  async get(params: GetPaymentParams, options?: CallOptions): Promise<Payment> {
    const answer = await this.#caller.read(PaymentService.method.getPayment, params, options);
    return answer.payment as Payment;
  }

  /** One page of a game's payments that succeeded, newest first. */
  async list(params: ListPaymentsParams, options?: CallOptions): Promise<PaymentPage> {
    return (await this.#caller.read(PaymentService.method.listPayments, params, options)) as PaymentPage;
  }

  /** All of a game's payments that succeeded, newest first, asked for as they are used, `limit` at a time. */
  async *all(
    params: Omit<ListPaymentsParams, "offset">,
    options?: CallOptions,
  ): AsyncGenerator<Payment, void, undefined> {
    for await (const page of pages((cursor) => this.list({ ...params, cursor }, options), params.cursor)) {
      yield* page.payments;
    }
  }

  /** Takes the money of an `authorized` payment. */
  async complete(params: { id: string }, options?: ChangeOptions): Promise<void> {
    await this.#caller.change(PaymentService.method.completePayment, params, options);
  }

  /** Releases the money of an `authorized` payment without taking it. */
  async cancel(params: { id: string }, options?: ChangeOptions): Promise<void> {
    await this.#caller.change(PaymentService.method.cancelPayment, params, options);
  }
}
