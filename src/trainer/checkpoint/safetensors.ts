import type { NamedArray } from '../backend/backend.js';

/**
 * The safetensors format, version 0.4: 8 bytes with the length of a JSON header, the header, the arrays. Little-endian,
 * as every machine that Node runs on.
 */

const HEADER_BYTES_MAX = 100 * 1024 * 1024; // the limit of the reference implementation
const ALIGNMENT = 8;

export function encodeSafetensors(arrays: readonly NamedArray[]): Buffer {
  let offset = 0;
  const entries = arrays.map(({ name, shape, values }) => {
    const start = offset;
    offset += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [start, offset] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(padded(json));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = arrays.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  return Buffer.concat([length, header, ...data]);
}

/** Throws where the bytes are not a whole safetensors file of 32-bit floats. */
export function decodeSafetensors(bytes: Buffer): readonly NamedArray[] {
  if (bytes.length < 8) throw new Error('safetensors: shorter than its length field');
  const headerLength = Number(bytes.readBigUInt64LE(0));
  if (headerLength > HEADER_BYTES_MAX || 8 + headerLength > bytes.length)
    throw new Error('safetensors: header cut off');
  const header: unknown = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength));
  if (typeof header !== 'object' || header === null) throw new Error('safetensors: header is no object');
  const data = bytes.subarray(8 + headerLength);
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => decodeArray(name, entry, data));
}

function decodeArray(name: string, entry: unknown, data: Buffer): NamedArray {
  if (typeof entry !== 'object' || entry === null || !('dtype' in entry) || entry.dtype !== 'F32') {
    throw new Error(`safetensors: ${name} is not F32`);
  }
  const shape = 'shape' in entry ? wholeNumbers(entry.shape) : undefined;
  const [start, end, ...more] = ('data_offsets' in entry ? wholeNumbers(entry.data_offsets) : undefined) ?? [];
  if (shape === undefined || start === undefined || end === undefined || more.length > 0 || end > data.length) {
    throw new Error(`safetensors: ${name} has no place in the data`);
  }
  const size = shape.reduce((product, length) => product * length, 1);
  if (end - start !== size * 4) throw new Error(`safetensors: ${name} has ${end - start} bytes for ${size} values`);
  const copy = new Float32Array(size); // a copy is aligned, whatever the header's length
  Buffer.from(copy.buffer).set(data.subarray(start, end));
  return { name, shape, values: copy };
}

function wholeNumbers(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.filter((item): item is number => Number.isInteger(item) && Number(item) >= 0);
  return numbers.length === value.length ? numbers : undefined;
}

/** Spaces behind the JSON, so that the arrays start at a multiple of 8 bytes. */
function padded(json: string): string {
  const surplus = Buffer.byteLength(json) % ALIGNMENT;
  return surplus === 0 ? json : json + ' '.repeat(ALIGNMENT - surplus);
}
