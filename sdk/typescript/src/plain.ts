import type { DescField, DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import { timestampDate, TimestampSchema, type Timestamp } from "@bufbuild/protobuf/wkt";

/** A generated message as the plain object that callers get: no type names, and a Date for each timestamp. */
export type Plain<T> = T extends Timestamp
  ? Date
  : T extends Message
    ? { [K in keyof T as Exclude<K, keyof Message>]: Plain<T[K]> }
    : T extends (infer Element)[]
      ? Plain<Element>[]
      : T;

/** The plain object of a message: what is not set is not there. */
export function plain<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
): Plain<MessageShape<Schema>> {
  return plainMessage(schema, message) as Plain<MessageShape<Schema>>;
}

// By the schema, since the names in a map are the callers' own: one could look like a message.
function plainMessage(schema: DescMessage, message: unknown): unknown {
  if (schema.typeName === TimestampSchema.typeName) {
    return timestampDate(message as Timestamp);
  }
  const fields = message as Record<string, unknown>;
  return Object.fromEntries(
    schema.fields
      .filter(({ localName }) => fields[localName] !== undefined)
      .map((field) => [field.localName, plainField(field, fields[field.localName])]),
  );
}

function plainField(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "list" && field.listKind === "message") {
    return (value as unknown[]).map((element) => plainMessage(field.message, element));
  }
  return field.fieldKind === "message" ? plainMessage(field.message, value) : value;
}
