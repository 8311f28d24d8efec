import type { SpanContext } from '@opentelemetry/api';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { type PlainLogRecord, readLogRecord } from './read-log-record.ts';
import type { Resource } from './resources.ts';
import type { Scope } from './scope.ts';

/** A batch of encoded records, by their index. */
export interface EncodedBatch {
  readonly scope: Scope;
  /** Returns the resource of a record. */
  resourceOf(index: number): Resource;
  /**
   * Returns the records `first` to below `end` as fields of ScopeLogs; valid until others are
   * added.
   */
  encoded(first: number, end: number): Uint8Array;
  /** Returns the line of a record. */
  lineOf(index: number): string;
}

/**
 * A record of the journal as exporters of the SDK take it. It is encoded already. It parses its
 * line once, when one of its fields is read. It is valid for as long as its batch is.
 */
export class JournalLogRecord implements ReadableLogRecord {
  readonly batch: EncodedBatch;
  readonly index: number;
  /** Unix seconds of its time */
  readonly seconds: number;
  #plain: PlainLogRecord | undefined;

  constructor(batch: EncodedBatch, index: number, seconds: number) {
    this.batch = batch;
    this.index = index;
    this.seconds = seconds;
  }

  /**
   * The same record, parsed from its line and not encoded: a serializer encodes it like any other.
   */
  get plain(): PlainLogRecord {
    this.#plain ??= readLogRecord(this.line, this.batch.scope);
    return this.#plain;
  }

  /** its line in the journal */
  get line(): string {
    return this.batch.lineOf(this.index);
  }

  /** The same record, encoded alike and valid for ever. */
  copy(): JournalLogRecord {
    const { batch, index, seconds } = this;
    const [encoded, resource, line] = [
      new Uint8Array(batch.encoded(index, index + 1)),
      batch.resourceOf(index),
      batch.lineOf(index),
    ];
    const alone: EncodedBatch = {
      scope: batch.scope,
      resourceOf: () => resource,
      encoded: () => encoded,
      lineOf: () => line,
    };
    return new JournalLogRecord(alone, 0, seconds);
  }

  get hrTime(): PlainLogRecord['hrTime'] {
    return this.plain.hrTime;
  }

  get hrTimeObserved(): PlainLogRecord['hrTimeObserved'] {
    return this.plain.hrTimeObserved;
  }

  get severityNumber(): PlainLogRecord['severityNumber'] {
    return this.plain.severityNumber;
  }

  get eventName(): PlainLogRecord['eventName'] {
    return this.plain.eventName;
  }

  /** undefined where there is none: of a getter, the interface cannot say so */
  get spanContext(): SpanContext {
    return this.plain.spanContext as SpanContext;
  }

  get body(): PlainLogRecord['body'] {
    return this.plain.body;
  }

  get resource(): PlainLogRecord['resource'] {
    return this.plain.resource;
  }

  get instrumentationScope(): Scope {
    return this.batch.scope;
  }

  get attributes(): PlainLogRecord['attributes'] {
    return this.plain.attributes;
  }

  get droppedAttributesCount(): number {
    return 0;
  }
}
