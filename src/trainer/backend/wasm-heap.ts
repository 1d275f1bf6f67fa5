import { engine, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/**
 * Tensors of the wasm backend as arrays over its heap.
 *
 * A view dies when the heap grows, and any allocation may grow it: take views after the last allocation, and keep none
 * across a call into the library.
 */
export class WasmHeap {
  constructor(private readonly backend: BackendWasm) {}

  /** The heap of the running backend, which must be wasm. */
  static current(): WasmHeap {
    const backend = engine().backend;
    if (!(backend instanceof BackendWasm)) throw new Error(`backend is ${engine().backendName}, not wasm`);
    return new WasmHeap(backend);
  }

  allocate(shape: readonly number[]): TensorInfo {
    return this.backend.makeOutput([...shape], 'float32');
  }

  view(tensor: TensorInfo): Float32Array {
    const view = this.backend.typedArrayFromHeap(tensor);
    if (!(view instanceof Float32Array)) throw new Error(`tensor is ${tensor.dtype}, not float32`);
    return view;
  }

  /**
   * Must follow each change of a weight in place: XNNPACK keeps a packed copy of a matrix per tensor id, and would go on
   * multiplying with the old values, silently. Registering the id anew drops the copy.
   */
  forgetPacked(tensor: Tensor): void {
    const { id, memoryOffset } = this.backend.dataIdMap.get(tensor.dataId);
    this.backend.wasm.tfjs.disposeData(id);
    this.backend.wasm.tfjs.registerTensor(id, tensor.size, memoryOffset);
  }
}
