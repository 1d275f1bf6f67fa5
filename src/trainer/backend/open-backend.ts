import type { Backend } from './backend.js';
import { selfTest } from './self-test.js';
import { openWasmBackend } from './wasm-backend.js';

/** Starts the backend of that name and proves that it computes right, or throws; there is no silent substitute. */
export async function openBackend(name: 'wasm'): Promise<Backend> {
  switch (name) {
    case 'wasm': {
      const backend = await openWasmBackend();
      selfTest(backend);
      return backend;
    }
  }
}
