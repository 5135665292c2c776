import {
  isStreamsError,
  settle,
  type AckReason,
  type Delivery,
  type Fields,
  type Flow,
  type FlushTrigger,
  type Settled,
  type Settlement,
  type SourceStatus,
  type StreamsError,
} from "rxjs-redis-streams";
import { describe, expectTypeOf, it } from "vitest";

/** Compiles only where nothing is left. */
const never = (left: never): never => left;

declare const delivery: Delivery<Fields>;

describe("Settlement", () => {
  it("can be switched over to its end", () => {
    const describeIt = (settlement: Settlement): string => {
      switch (settlement._tag) {
        case "Ack":
          expectTypeOf(settlement.reason).toEqualTypeOf<AckReason>();
          return settlement.reason;
        case "Retry":
          return `${settlement.delayMs} ${String(settlement.cause)}`;
        case "DeadLetter":
          return String(settlement.cause);
        case "Release":
          return "";
        default:
          return never(settlement);
      }
    };
    expectTypeOf(describeIt).returns.toBeString();
  });

  it("is noticed when a case is missing", () => {
    const incomplete = (settlement: Settlement): string => {
      switch (settlement._tag) {
        case "Ack":
        case "Retry":
        case "DeadLetter":
          return settlement._tag;
        default:
          // @ts-expect-error Release is left
          return never(settlement);
      }
    };
    expectTypeOf(incomplete).returns.toBeString();
  });

  it("can't be changed, nor made with a reason that does not exist", () => {
    const { settlement } = settle.ack(delivery);
    // @ts-expect-error decisions are data that does not change
    settlement._tag = "Release";
    // @ts-expect-error "ignored" is no reason
    settle.ack(delivery, "ignored");
    // @ts-expect-error a retry needs a delay
    settle.retry(delivery, {});
  });

  it("keeps the delivery it is about", () => {
    expectTypeOf(settle.release(delivery)).toEqualTypeOf<Settled<Fields>>();
    expectTypeOf(settle.deadLetter(delivery, "bad").delivery).toEqualTypeOf<Delivery<Fields>>();
    expectTypeOf(settle.release(delivery)).toExtend<Flow<number>>();
  });
});

describe("SourceStatus", () => {
  it("can be switched over to its end", () => {
    const show = (status: SourceStatus): string => {
      switch (status._tag) {
        case "starting":
          return `${status.group} ${status.consumer}`;
        case "reading":
          return status.streams.join(", ");
        case "progress":
          expectTypeOf(status.readAgeMs).toEqualTypeOf<number | undefined>();
          return `${status.source} ${status.state}`;
        case "starved":
          return `${status.unsettled}`;
        case "reconnecting":
          expectTypeOf(status.cause).toBeUnknown();
          return `${status.attempt} ${status.delayMs}`;
        case "recovered":
          expectTypeOf(status.from).toEqualTypeOf<"self" | "retry" | "stale">();
          return `${status.count}`;
        case "readerFellBack":
          return status.reason;
        case "groupCreated":
        case "groupRecreated":
          return status.startId;
        case "renewalFailed":
          expectTypeOf(status.cause).toBeUnknown();
          return `${status.count}`;
        case "swept":
          return `${status.taken} in ${status.steps} steps and ${status.tookMs} ms`;
        case "gap":
          return `${status.after} ${status.first}`;
        case "rewound":
          return `${status.from} ${status.after}`;
        case "adopted":
        case "leaseLost":
        case "tombstone":
          return status.ids.join(", ");
        case "stalled":
          return `${status.idleMs}`;
        case "draining":
          return `${status.unsettled}`;
        case "stopped":
          expectTypeOf(status.reason).toEqualTypeOf<"drained" | "unsubscribed" | "error">();
          return `${status.released}`;
        default:
          return never(status);
      }
    };
    expectTypeOf(show).returns.toBeString();
  });
});

describe("Flow", () => {
  it("is a delivery or a decision", () => {
    const idOf = (item: Flow<number>): string => {
      switch (item._tag) {
        case "Delivery":
          expectTypeOf(item.value).toBeNumber();
          return item.id;
        case "Settled":
          expectTypeOf(item.delivery.value).toBeUnknown();
          return item.delivery.id;
        default:
          return never(item);
      }
    };
    expectTypeOf(idOf).returns.toBeString();
  });
});

describe("StreamsError", () => {
  it("can be switched over to its end, once it is known to be one", () => {
    const show = (error: unknown): string => {
      if (!isStreamsError(error)) return "another";
      expectTypeOf(error).toEqualTypeOf<StreamsError>();
      switch (error._tag) {
        case "WrongTypeError":
        case "AccessError":
        case "GroupMissingError":
        case "StreamMissingError":
        case "CommandError":
        case "ReplyError":
        case "DecodeError":
        case "BatchResultError":
          return error.message;
        case "HandlerTimeoutError":
          return `${error.timeoutMs}`;
        case "DeliveriesExhaustedError":
          return `${error.deliveryCount}`;
        default:
          return never(error);
      }
    };
    expectTypeOf(show).returns.toBeString();
  });
});

describe("FlushTrigger", () => {
  it("says why a batch went", () => expectTypeOf<FlushTrigger>().toEqualTypeOf<"size" | "time" | "starved" | "complete" | "error">());
});
