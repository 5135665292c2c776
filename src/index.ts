/** Redis Streams consumer groups as RxJS. Everything public is listed here, and nothing else is reachable. */

// Sources: cold; each subscription owns its connections, credit and consumer
export { fromGroup } from "./sources/from-group.js";
export { fromClaims, type FromClaimsOptions } from "./sources/from-claims.js";
export { fromDeadLetters, type FromDeadLettersOptions } from "./sources/from-dead-letters.js";
export { fromRange } from "./sources/from-range.js";
export { fromStream } from "./sources/from-stream.js";
export { fromPending, type FromPendingOptions } from "./sources/from-pending.js";

// Watching: how groups and sources do
export { watchGroup, type WatchGroupOptions } from "./sources/watch-group.js";
export { health, type HealthOptions } from "./sources/health.js";
export { watchGroups, type WatchGroupsOptions } from "./sources/watch-groups.js";

// Operators: turn a delivery into another, or into a decision about it
export { decode, type Codec } from "./operators/decode.js";
export { json } from "./operators/json.js";
export { dedupe, type DedupeOptions } from "./operators/dedupe.js";
export { partitionBy, type PartitionByOptions, type PartitionByProjectOptions } from "./operators/partition-by.js";
export { retryToDLQ, type RetryToDLQOptions } from "./operators/retry-to-dlq.js";
export { filterAck } from "./operators/filter-ack.js";
export { batch, type BatchOptions } from "./operators/batch.js";
export { rateLimit, type RateLimitOptions, type SharedRateLimitOptions } from "./operators/rate-limit.js";
export { tee } from "./operators/tee.js";
export { bufferAck, type BufferAckOptions } from "./operators/buffer-ack.js";

// Sinks: carry decisions out in Redis
export { acknowledge, type AcknowledgeOptions } from "./sinks/acknowledge.js";
export { handOff, type HandOffOptions, type HandOffReceipt } from "./sinks/hand-off.js";

export { redrive, type RedriveOptions } from "./sinks/redrive.js";

// Producers: add entries
export { appendAll } from "./sinks/append-all.js";
export { appendTo, type AppendOptions, type FieldsOf } from "./sinks/append-to.js";

// Groups as code: cold; each emits what happened, or what is, and completes
export { createGroup, type CreateGroupOptions } from "./admin/create-group.js";
export { deleteConsumer, type ConsumerDeletion, type DeleteConsumerOptions } from "./admin/delete-consumer.js";
export { destroyGroup, type DestroyGroupOptions } from "./admin/destroy-group.js";
export { listConsumers, type ListConsumersOptions } from "./admin/list-consumers.js";
export { listGroups, type ListGroupsOptions } from "./admin/list-groups.js";
export { pendingSummary, type PendingSummaryOptions } from "./admin/pending-summary.js";
export { pruneConsumers, type PruneConsumersOptions } from "./admin/prune-consumers.js";
export { setGroupPosition, type SetGroupPositionOptions } from "./admin/set-group-position.js";
export { trim, type TrimOptions } from "./admin/trim.js";
export { trimAcked, type TrimAckedOptions, type TrimReport } from "./admin/trim-acked.js";

// Decisions and backoff policies
export { settle } from "./model/settlement.js";
export { BackoffMonoid, capDelay, delayAfter, exponential, fixed, limit } from "./model/retry-policy.js";

// Shutdown
export { drainOn } from "./flow/drain-on.js";

// Keys beside the stream
export { checkpointKey, deadLetterKey, failuresKey, orderKey, rateKey, retryKey } from "./model/keys.js";

// Entry ids
export { EntryIdOrd, entryTime, isEntryId, toEntryId } from "./model/entry-id.js";

// Errors
export {
  AccessError,
  BatchResultError,
  CommandError,
  DecodeError,
  DeliveriesExhaustedError,
  GroupMissingError,
  HandlerTimeoutError,
  isStreamsError,
  ReplyError,
  StreamMissingError,
  WrongTypeError,
  type StreamsError,
} from "./errors.js";

// Types
export type { DeliveryOptions } from "./flow/delivery-settings.js";
export type { FromGroupOptions, GroupSourceOptions } from "./flow/group-settings.js";
export type { FieldValue, NewFields } from "./model/append-fields.js";
export type { AppendStatus } from "./model/append-status.js";
export type { FromRangeOptions } from "./flow/range-settings.js";
export type { FromStreamOptions, StoredCheckpoint } from "./flow/tail-settings.js";
export type { HandlerResult } from "./flow/handler-result.js";
export type { DeadLetter, DeadLetterCause, DeadLetterOrigin } from "./model/dead-letter.js";
export type { Delivery } from "./model/delivery.js";
export type { Effect } from "./model/effect.js";
export type { EntryId } from "./model/entry-id.js";
export type { BinaryFields, Fields } from "./model/fields.js";
export type { Health, HealthReason, SourceHealth } from "./model/health.js";
export type { ConsumerInfo, GroupInfo } from "./model/group-info.js";
export type { DeliveryHistogram, GroupSnapshot } from "./model/group-snapshot.js";
export type { LagSource } from "./model/lag.js";
export type { OutputRecord, OutputValue } from "./model/output.js";
export type { Payload } from "./model/payload.js";
export type { ReaderKind } from "./model/reader-kind.js";
export type { PendingEntry, PendingSnapshot, PendingSummary } from "./model/pending.js";
export type { GroupRates } from "./model/rates.js";
export type { EndState, SourceProgress, SourceState } from "./model/progress.js";
export type { KeepOptions } from "./model/retention.js";
export type { RangeBound } from "./model/range-bound.js";
export type { Receipt } from "./model/receipt.js";
export type { Redrivable, Redriven, RefusalReason } from "./model/redriven.js";
export type { Advice, BackoffPolicy, ExponentialOptions, Failure } from "./model/retry-policy.js";
export type { AckReason, Flow, FlushTrigger, Settled, Settlement, SettlementBatch } from "./model/settlement.js";
export type { RecoveredFrom, SourceStatus } from "./model/status.js";
export type { GroupPresence, Verdict } from "./model/verdict.js";
export type { RedisClient, RedisConnection } from "./redis/client.js";
