import type { Backend, BackendInfo } from './backend.js';
import { selfTest } from './self-test.js';
import { openWasmBackend } from './wasm-backend.js';

const OPENERS: Readonly<Record<BackendInfo['name'], () => Promise<Backend>>> = { wasm: () => openWasmBackend() };

/** Starts the backend of that name and proves that it computes right, or throws; there is no silent substitute. */
export async function openBackend(name: BackendInfo['name']): Promise<Backend> {
  const backend = await OPENERS[name]();
  selfTest(backend);
  return backend;
}
