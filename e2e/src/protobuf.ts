/** A field of a message: its bytes, or its number. https://protobuf.dev/programming-guides/encoding/ */
export type Field = { readonly number: number; readonly value: Buffer | bigint };

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** The fields of one message in the order they were written. What they mean is the caller's to know. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(offset);
      offset += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    offset += length;
    return message.subarray(offset - length, offset);
  };
  while (offset < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    switch (tag & 7) {
      case VARINT:
        yield { number, value: varint() };
        break;
      case FIXED64:
        yield { number, value: take(8) };
        break;
      case LENGTH_DELIMITED:
        yield { number, value: take(Number(varint())) };
        break;
      case FIXED32:
        yield { number, value: take(4) };
        break;
      default:
        throw new Error(`wire type ${tag & 7} is unknown`);
    }
  }
}

/** The messages, texts or bytes in all fields of that number. */
export function bytesOf(message: Buffer, number: number): Buffer[] {
  return [...fieldsOf(message)].flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  );
}
