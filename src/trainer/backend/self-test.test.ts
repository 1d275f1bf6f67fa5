import { customGrad, mul, type Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../contract.js';
import type { Backend, Operations } from './backend.js';
import { selfTest } from './self-test.js';
import { openWasmBackend } from './wasm-backend.js';
import { WasmHeap } from './wasm-heap.js';
import { WasmTrainable } from './wasm-trainable.js';

describe(selfTest.name, () => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await openWasmBackend();
  });

  function failure(operations: Partial<Operations>, trainable: Partial<Backend> = {}): () => void {
    return () => {
      selfTest({ ...backend, ...trainable, operations: { ...backend.operations, ...operations } });
    };
  }

  it('passes, and leaves no tensor behind', () => {
    const before = backend.tensorCount();
    selfTest(backend);
    expect(backend.tensorCount()).toBe(before);
  });

  it('catches a product that forgets the bias', () => {
    const { dense } = backend.operations;
    const zero = backend.tensor(new Float32Array(1), [1]);
    expect(failure({ dense: (x, weights) => dense(x, weights, zero) })).toThrow(
      expect.objectContaining({
        exitCode: EXIT.internal,
        message: expect.stringContaining("the backend's self-test failed: loss is "),
      }),
    );
    zero.dispose();
  });

  it('catches a gradient that is wrong where the value is right', () => {
    const { dense } = backend.operations;
    const halved = (x: Tensor): Tensor =>
      customGrad((kept) => ({ value: (kept as Tensor).clone(), gradFunc: (dy) => mul(dy, 0.5) }))(x);
    expect(failure({ dense: (x, weights, bias) => halved(dense(x, weights, bias)) })).toThrow(
      'self-test failed: gradient of hidden/weights is',
    );
  });

  it('catches weights that are trained stale: XNNPACK goes on with those that it packed first', () => {
    const heap = WasmHeap.current();
    heap.forgetPacked = () => undefined;
    const createTrainable: Backend['createTrainable'] = (parameters, rule) => new WasmTrainable(heap, parameters, rule);
    expect(failure({}, { createTrainable })).toThrow('self-test failed: loss after an update is');
  });
});
