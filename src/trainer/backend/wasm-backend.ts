import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { engine, env, getBackend, ready, setBackend, tensor, version_core, type Tensor } from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { EXIT } from '../contract.js';
import { TrainerError } from '../trainer-error.js';
import type { Backend, LossKind, Operations, Tally, TallySums } from './backend.js';
import { NO_ROWS } from './backend.js';
import { LOSSES } from './losses.js';
import { WasmHeap } from './wasm-heap.js';
import { KERNEL, registerTrainingKernels, runKernel } from './wasm-kernels.js';
import { WasmTrainable } from './wasm-trainable.js';

const OPERATIONS: Operations = {
  dense: (x, weights, bias) => runKernel(KERNEL.dense, { x, weights, bias }),
  activate: (x, activation) => runKernel(KERNEL.activate, { x }, { activation }),
  mask: (x, mask) => runKernel(KERNEL.mask, { x, mask }),
  loss: (outputs, labels, kind) => runKernel(KERNEL.loss, { outputs, labels }, { kind }),
};

let opened: Backend | undefined;

/** Starts the wasm backend, or fails with `missingResource`; a second call returns the first one's backend. */
export async function openWasmBackend(folder: string = wasmFolder()): Promise<Backend> {
  if (opened !== undefined) return opened;
  const file = join(folder, 'tfjs-backend-wasm-simd.wasm');
  if (!existsSync(file)) {
    throw new TrainerError(EXIT.missingResource, `backend wasm is not installed: ${file} is missing; run npm ci`);
  }
  setWasmPaths(folder.endsWith('/') ? folder : `${folder}/`);
  // Threads fail under Node, and the library then takes another backend without a word.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  const started = await setBackend('wasm');
  await ready();
  if (!started || getBackend() !== 'wasm') {
    throw new TrainerError(EXIT.missingResource, `backend wasm does not start on this machine (got ${getBackend()})`);
  }
  if (!(await env().getAsync('WASM_HAS_SIMD_SUPPORT'))) {
    throw new TrainerError(EXIT.missingResource, 'backend wasm needs SIMD, which this Node does not offer');
  }
  registerTrainingKernels();
  opened = createBackend(WasmHeap.current());
  return opened;
}

function createBackend(heap: WasmHeap): Backend {
  return {
    info: { name: 'wasm', version: version_core },
    operations: OPERATIONS,
    tensor: (values, shape) => tensor(values, [...shape], 'float32'),
    createTrainable: (parameters, rule) => new WasmTrainable(heap, parameters, rule),
    createTally: () => new HeapTally(heap),
    tensorCount: () => engine().memory().numTensors,
    scoped: (work) => scoped(work),
  };
}

/** As `tidy`, also for results that hold no tensor. */
function scoped<T>(work: () => T): T {
  engine().startScope();
  try {
    return work();
  } finally {
    engine().endScope();
  }
}

function wasmFolder(): string {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  return join(dirname(entry), '../wasm-out');
}

/** Sums in double precision: reading the heap costs nothing here, so there is nothing to keep on the device. */
class HeapTally implements Tally {
  private sums: TallySums = NO_ROWS;

  constructor(private readonly heap: WasmHeap) {}

  add(outputs: Tensor, labels: Tensor, kind: LossKind): void {
    const values = this.heap.view(labels);
    const width = outputs.size / Math.max(1, labels.size);
    const { loss, hits } = LOSSES[kind].sum(this.heap.view(outputs), values, width);
    this.sums = {
      rows: this.sums.rows + labels.size,
      loss: this.sums.loss + loss,
      hits: this.sums.hits + hits,
    };
  }

  read(): TallySums {
    return this.sums;
  }

  set(sums: TallySums): void {
    this.sums = sums;
  }
}
