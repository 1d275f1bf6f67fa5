import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

const anyArray = fc
  .record({ name: fc.string({ minLength: 1 }), values: fc.float32Array({ maxLength: 40 }) })
  .filter(({ name }) => name !== '__metadata__' && name !== '__proto__' && !/^\d+$/.test(name)) // keys of an object
  .map(({ name, values }) => ({ name, shape: [values.length, 1], values }));

describe('safetensors', () => {
  it('come back bit for bit, in their order, NaN and infinities too', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyArray, { selector: ({ name }) => name }), (arrays) => {
        const back = decodeSafetensors(encodeSafetensors(arrays));
        expect(back.map(({ name, shape }) => ({ name, shape }))).toEqual(
          arrays.map(({ name, shape }) => ({ name, shape })),
        );
        for (const [index, { values }] of arrays.entries()) {
          expect(new Uint8Array(back[index]?.values.buffer ?? new ArrayBuffer(0))).toEqual(
            new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
          );
        }
      }),
    );
  });

  it('are laid out as the format says', () => {
    const bytes = encodeSafetensors([{ name: 'w', shape: [2], values: Float32Array.of(1, -2) }]);
    const headerLength = Number(bytes.readBigUInt64LE(0));
    expect(headerLength % 8).toBe(0);
    expect(JSON.parse(bytes.toString('utf8', 8, 8 + headerLength))).toEqual({
      w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    });
    expect(bytes.readFloatLE(8 + headerLength)).toBe(1);
    expect(bytes.readFloatLE(12 + headerLength)).toBe(-2);
    expect(bytes.length).toBe(16 + headerLength);
  });

  function withHeader(header: string, data = Buffer.alloc(8)): Buffer {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), data]);
  }

  it.each([
    ['nothing', Buffer.alloc(3), 'shorter than its length field'],
    ['a header that is cut off', withHeader('{"w":1}').subarray(0, 12), 'header cut off'],
    ['a header that is no object', withHeader('7'), 'header is no object'],
    ['another type', withHeader('{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'), 'w is not F32'],
    [
      'data that ends too early',
      withHeader('{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'),
      'no place in the data',
    ],
    [
      'a negative offset',
      withHeader('{"w":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}'),
      'no place in the data',
    ],
    [
      'a shape of another size',
      withHeader('{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}'),
      '8 bytes for 3 values',
    ],
  ])('refuse %s', (_title, bytes, want) => {
    expect(() => decodeSafetensors(bytes)).toThrow(want);
  });
});
