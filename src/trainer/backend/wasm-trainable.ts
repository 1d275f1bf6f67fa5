import { engine, keep, tensor, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { NamedArray, Parameter, Trainable, UpdateRule } from './backend.js';
import type { WasmHeap } from './wasm-heap.js';

interface Slot {
  readonly name: string;
  readonly role: Parameter['role'];
  readonly weights: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

interface StepScale {
  /** The learning rate with Adam's bias correction. */
  readonly rate: number;
  /** What each gradient is multiplied with, by the clipping of the norm. */
  readonly clip: number;
  /** What decayed weights are multiplied with. */
  readonly keep: number;
}

/** Adam in place on the wasm heap, in one pass a parameter: no tensor is made after the gradients. */
export class WasmTrainable implements Trainable {
  private readonly slots: readonly Slot[];
  private updates = 0;

  constructor(
    private readonly heap: WasmHeap,
    parameters: readonly Parameter[],
    private readonly rule: UpdateRule,
  ) {
    this.slots = parameters.map(({ name, role, shape, values }) => ({
      name,
      role,
      weights: keep(tensor(values, [...shape], 'float32')),
      mean: keep(zeros([...shape])),
      variance: keep(zeros([...shape])),
    }));
  }

  step(loss: (weights: readonly Tensor[]) => Tensor, learningRate: number): void {
    engine().tidy(() => {
      const weights = this.slots.map((slot) => slot.weights);
      const { grads } = engine().gradients(() => loss(weights), weights);
      this.updates += 1;
      this.update(grads, learningRate);
    });
  }

  predict(outputs: (weights: readonly Tensor[]) => Tensor): Float32Array {
    return engine().tidy(() => this.heap.view(outputs(this.slots.map((slot) => slot.weights))).slice());
  }

  save(): readonly NamedArray[] {
    return this.slots.flatMap(({ name, weights, mean, variance }) =>
      [
        { name, tensor: weights },
        { name: `${name}/m`, tensor: mean },
        { name: `${name}/v`, tensor: variance },
      ].map((part) => ({ name: part.name, shape: part.tensor.shape, values: this.heap.view(part.tensor).slice() })),
    );
  }

  restore(arrays: readonly NamedArray[], updates: number): void {
    const byName = new Map(arrays.map((array) => [array.name, array]));
    for (const { name, weights, mean, variance } of this.slots) {
      for (const [key, target] of [
        [name, weights],
        [`${name}/m`, mean],
        [`${name}/v`, variance],
      ] as const) {
        const values = byName.get(key)?.values;
        if (values?.length !== target.size) throw new Error(`checkpoint has no ${key} of ${target.size} values`);
        this.heap.view(target).set(values);
      }
      this.heap.forgetPacked(weights);
    }
    this.updates = updates;
  }

  dispose(): void {
    for (const { weights, mean, variance } of this.slots) {
      for (const part of [weights, mean, variance]) part.dispose();
    }
  }

  private update(gradients: readonly Tensor[], learningRate: number): void {
    const { beta1, beta2, weightDecay } = this.rule;
    const views = gradients.map((gradient) => this.heap.view(gradient));
    this.addPenalty(views);
    const scale = {
      rate: (learningRate * Math.sqrt(1 - beta2 ** this.updates)) / (1 - beta1 ** this.updates),
      clip: this.clipFactor(views),
      keep: 1 - learningRate * weightDecay,
    };
    for (const [index, slot] of this.slots.entries()) {
      const gradient = views[index];
      if (gradient === undefined) throw new Error(`no gradient for ${slot.name}`);
      this.updateSlot(slot, gradient, scale);
      this.heap.forgetPacked(slot.weights);
    }
  }

  private addPenalty(gradients: readonly Float32Array[]): void {
    if (this.rule.l2 === 0) return;
    for (const [index, { role, weights }] of this.slots.entries()) {
      const gradient = gradients[index];
      if (role !== 'weights' || gradient === undefined) continue;
      const values = this.heap.view(weights);
      for (let at = 0; at < gradient.length; at += 1) {
        gradient[at] = (gradient[at] ?? 0) + 2 * this.rule.l2 * (values[at] ?? 0);
      }
    }
  }

  private clipFactor(gradients: readonly Float32Array[]): number {
    if (this.rule.clipNorm === undefined) return 1;
    let squares = 0;
    for (const gradient of gradients) for (const value of gradient) squares += value * value;
    return Math.min(1, this.rule.clipNorm / Math.max(Math.sqrt(squares), Number.MIN_VALUE));
  }

  private updateSlot(slot: Slot, gradient: Float32Array, { rate, clip, keep: kept }: StepScale): void {
    const { beta1, beta2, epsilon } = this.rule;
    const weights = this.heap.view(slot.weights);
    const means = this.heap.view(slot.mean);
    const variances = this.heap.view(slot.variance);
    const decay = slot.role === 'weights' ? kept : 1;
    for (let at = 0; at < weights.length; at += 1) {
      const g = (gradient[at] ?? 0) * clip;
      const oldMean = means[at] ?? 0;
      const oldVariance = variances[at] ?? 0;
      const mean = oldMean + (1 - beta1) * (g - oldMean);
      const variance = oldVariance + (1 - beta2) * (g * g - oldVariance);
      means[at] = mean;
      variances[at] = variance;
      weights[at] = (weights[at] ?? 0) * decay - (rate * mean) / (Math.sqrt(variance) + epsilon);
    }
  }
}
