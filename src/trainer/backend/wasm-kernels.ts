/**
 * The training operations as kernels of the wasm backend: matrix products go to XNNPACK, everything else is one pass
 * over the heap. Composed of stock operations the same step takes several times as many calls, and each costs more
 * than the arithmetic of a small batch.
 *
 * A gradient is registered once per kernel name and itself made of kernels, so another backend brings kernels only.
 */
import {
  engine,
  getKernel,
  registerGradient,
  registerKernel,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { ActivationSchema } from '../job.schema.js';
import { ACTIVATIONS } from './activations.js';
import { LOSSES, lossKindOf } from './losses.js';
import { WasmHeap } from './wasm-heap.js';

export const KERNEL = {
  dense: 'BerthDense',
  denseInputGradient: 'BerthDenseInputGradient',
  denseWeightsGradient: 'BerthDenseWeightsGradient',
  columnSums: 'BerthColumnSums',
  activate: 'BerthActivate',
  activateGradient: 'BerthActivateGradient',
  mask: 'BerthMask',
  loss: 'BerthLoss',
  lossGradient: 'BerthLossGradient',
} as const;

/** Runs a kernel that has one output. */
export function runKernel(name: string, inputs: NamedTensorMap, attributes: NamedAttrMap = {}): Tensor {
  return engine().runKernel<Tensor>(name, inputs, attributes);
}

/** Registers kernels and gradients; to be called once, after the backend is up. */
export function registerTrainingKernels(): void {
  const heap = WasmHeap.current();
  for (const [kernelName, kernel] of Object.entries({ ...denseKernels(heap), ...elementKernels(heap) })) {
    const kernelFunc: KernelFunc = ({ inputs, attrs }) => kernel(inputs, attrs ?? {});
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  registerGradients();
}

type Kernel = (inputs: NamedTensorInfoMap, attributes: NamedAttrMap) => TensorInfo;

function denseKernels(heap: WasmHeap): Record<string, Kernel> {
  const multiply = product();
  return {
    [KERNEL.dense]: (inputs) => multiply(input(inputs, 'x'), input(inputs, 'weights'), input(inputs, 'bias')),
    // XNNPACK runs for untransposed operands only, the rest is a naive loop: transposing first is 7 to 18 times faster.
    [KERNEL.denseInputGradient]: (inputs) => {
      const flipped = transpose(input(inputs, 'weights'));
      const gradient = multiply(input(inputs, 'dy'), flipped);
      engine().backend.disposeData(flipped.dataId);
      return gradient;
    },
    [KERNEL.denseWeightsGradient]: (inputs) => {
      const flipped = transpose(input(inputs, 'x'));
      const gradient = multiply(flipped, input(inputs, 'dy'));
      engine().backend.disposeData(flipped.dataId);
      return gradient;
    },
    [KERNEL.columnSums]: (inputs) => {
      const x = input(inputs, 'x');
      const [rows, columns] = matrixShape(x);
      const out = heap.allocate([columns]);
      const [sums, values] = [heap.view(out), heap.view(x)];
      sums.fill(0);
      for (let row = 0, at = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1, at += 1) {
          sums[column] = (sums[column] ?? 0) + (values[at] ?? 0);
        }
      }
      return out;
    },
  };
}

function elementKernels(heap: WasmHeap): Record<string, Kernel> {
  return {
    [KERNEL.activate]: (inputs, { activation }) => {
      const x = input(inputs, 'x');
      const { value } = ACTIVATIONS[ActivationSchema.parse(activation)];
      const out = heap.allocate(x.shape);
      const [results, values] = [heap.view(out), heap.view(x)];
      for (let at = 0; at < results.length; at += 1) results[at] = value(values[at] ?? 0);
      return out;
    },
    [KERNEL.activateGradient]: (inputs, { activation }) => {
      const x = input(inputs, 'x');
      const { slope } = ACTIVATIONS[ActivationSchema.parse(activation)];
      const out = heap.allocate(x.shape);
      const [results, values, dy] = [heap.view(out), heap.view(x), heap.view(input(inputs, 'dy'))];
      for (let at = 0; at < results.length; at += 1) results[at] = slope(values[at] ?? 0) * (dy[at] ?? 0);
      return out;
    },
    [KERNEL.mask]: (inputs) => {
      const x = input(inputs, 'x');
      const out = heap.allocate(x.shape);
      const [results, values, mask] = [heap.view(out), heap.view(x), heap.view(input(inputs, 'mask'))];
      for (let at = 0; at < results.length; at += 1) results[at] = (values[at] ?? 0) * (mask[at] ?? 0);
      return out;
    },
    ...lossKernels(heap),
  };
}

function lossKernels(heap: WasmHeap): Record<string, Kernel> {
  return {
    [KERNEL.loss]: (inputs, { kind }) => {
      const outputs = input(inputs, 'outputs');
      const [rows, width] = matrixShape(outputs);
      const out = heap.allocate([]);
      const [values, labels] = [heap.view(outputs), heap.view(input(inputs, 'labels'))];
      heap.view(out)[0] = LOSSES[lossKindOf(kind)].sum(values, labels, width).loss / rows;
      return out;
    },
    [KERNEL.lossGradient]: (inputs, { kind }) => {
      const outputs = input(inputs, 'outputs');
      const [rows, width] = matrixShape(outputs);
      const out = heap.allocate(outputs.shape);
      const [gradient, values, labels] = [heap.view(out), heap.view(outputs), heap.view(input(inputs, 'labels'))];
      const scale = (heap.view(input(inputs, 'dy'))[0] ?? 0) / rows;
      LOSSES[lossKindOf(kind)].gradient({ outputs: values, labels, width, scale }, gradient);
      return out;
    },
  };
}

/** Gradients are functions of what is asked for: the data needs none, so the first layer computes none for it. */
function registerGradients(): void {
  registerGradient({
    kernelName: KERNEL.dense,
    inputsToSave: ['x', 'weights'],
    gradFunc: (dys, saved) => {
      const dy = only(dys);
      const [x, weights] = pair(saved);
      return {
        x: () => runKernel(KERNEL.denseInputGradient, { dy, weights }),
        weights: () => runKernel(KERNEL.denseWeightsGradient, { x, dy }),
        bias: () => runKernel(KERNEL.columnSums, { x: dy }),
      };
    },
  });
  registerGradient({
    kernelName: KERNEL.activate,
    inputsToSave: ['x'],
    gradFunc: (dys, [x], attributes) => ({
      x: () => runKernel(KERNEL.activateGradient, { x: present(x), dy: only(dys) }, attributes),
    }),
  });
  registerGradient({
    kernelName: KERNEL.mask,
    inputsToSave: ['mask'],
    gradFunc: (dys, [mask]) => ({ x: () => runKernel(KERNEL.mask, { x: only(dys), mask: present(mask) }) }),
  });
  registerGradient({
    kernelName: KERNEL.loss,
    inputsToSave: ['outputs', 'labels'],
    gradFunc: (dys, saved, attributes) => {
      const [outputs, labels] = pair(saved);
      return { outputs: () => runKernel(KERNEL.lossGradient, { outputs, labels, dy: only(dys) }, attributes) };
    },
  });
}

/** The library's product with bias, which takes batches of matrices: here always a batch of one. */
function product(): (a: TensorInfo, b: TensorInfo, bias?: TensorInfo) => TensorInfo {
  const fused = kernelOf('_FusedMatMul');
  return (a, b, bias) => {
    const [rows, columns] = [matrixShape(a)[0], matrixShape(b)[1]];
    const inputs = { a: batchOfOne(a), b: batchOfOne(b), ...(bias === undefined ? {} : { bias }) };
    const attrs = { transposeA: false, transposeB: false, activation: 'linear' };
    const { dataId } = single(fused({ inputs, attrs, backend: engine().backend }));
    return { dataId, shape: [rows, columns], dtype: 'float32' };
  };
}

function transpose(x: TensorInfo): TensorInfo {
  return single(kernelOf('Transpose')({ inputs: { x }, attrs: { perm: [1, 0] }, backend: engine().backend }));
}

function kernelOf(name: string): KernelFunc {
  return getKernel(name, 'wasm').kernelFunc;
}

function batchOfOne({ dataId, shape, dtype }: TensorInfo): TensorInfo {
  return { dataId, shape: [1, ...shape], dtype };
}

function matrixShape({ shape }: TensorInfo): readonly [number, number] {
  const [rows, columns, ...more] = shape;
  if (rows === undefined || columns === undefined || more.length > 0)
    throw new Error(`not a matrix: [${shape.join(', ')}]`);
  return [rows, columns];
}

function input(inputs: NamedTensorInfoMap, name: string): TensorInfo {
  return present(inputs[name]);
}

function single(output: TensorInfo | TensorInfo[]): TensorInfo {
  return Array.isArray(output) ? present(output[0]) : output;
}

function only(dys: Tensor | Tensor[]): Tensor {
  return Array.isArray(dys) ? present(dys[0]) : dys;
}

function pair([first, second]: readonly Tensor[]): readonly [Tensor, Tensor] {
  return [present(first), present(second)];
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a kernel lacks an input');
  return value;
}
