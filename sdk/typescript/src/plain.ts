import type { Message } from "@bufbuild/protobuf";
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";

/** A generated message as the plain object that callers get: no type names, and a Date for each timestamp. */
export type Plain<T> = T extends Timestamp
  ? Date
  : T extends Message
    ? { [K in keyof T as Exclude<K, keyof Message>]: Plain<T[K]> }
    : T extends (infer Element)[]
      ? Plain<Element>[]
      : T;

/** The plain object of a message: what is not set is not there. */
export function plain<T extends Message>(message: T): Plain<T> {
  return plainValue(message) as Plain<T>;
}

function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plainValue);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (isTimestamp(value)) {
    return timestampDate(value);
  }
  // Messages, and maps from strings to strings.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => !name.startsWith("$") && field !== undefined)
      .map(([name, field]) => [name, plainValue(field)]),
  );
}

function isTimestamp(value: object): value is Timestamp {
  return "$typeName" in value && value.$typeName === "google.protobuf.Timestamp";
}
