/** A stream of random numbers that depends on its seed alone, so any point of a training can be drawn again. */
export interface Random {
  /** Uniform in [0, 1), 32 bits fine. */
  unit(): number;
  /** Uniform whole number in [0, limit). */
  below(limit: number): number;
}

/**
 * Draws are keyed by what they are for (`['shuffle', epoch]`), not taken from one long stream: then a resumed run needs
 * no saved generator state, and a new draw somewhere moves no other.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand), seeded by FNV-1a of the key.
 */
export function randomFor(seed: number, ...key: readonly (string | number)[]): Random {
  const text = [seed, ...key].join('/');
  let a = fnv1a(text, 0x811c9dc5);
  let b = fnv1a(text, 0x01000193);
  let c = fnv1a(text, 0x9e3779b9);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next();
  const unit = (): number => next() / 2 ** 32;
  return { unit, below: (limit) => Math.floor(unit() * limit) };
}

/** Fisher-Yates: every order of 0 … length - 1 is equally likely. */
export function permutation(length: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    const swapped = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = swapped;
  }
  return order;
}

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash | 0;
}
