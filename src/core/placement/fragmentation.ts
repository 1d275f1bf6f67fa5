import type { FlavorName, Milli } from '../contract/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';

/** A kind of pod that teams submit, and how many of them there were. */
export interface TypicalPod {
  readonly cpuMilli: Milli;
  readonly deviceCount: number;
  readonly deviceMilli: Milli;
  /** Those it may use; empty: any. */
  readonly flavors: readonly FlavorName[];
  readonly pods: number;
}

/** What is free on one node: its CPU, and of each of its devices that take work; devices of one group are alike. */
export interface FreeOfNode {
  readonly cpuMilli: Milli;
  readonly groups: readonly { readonly flavor: FlavorName | undefined; readonly devices: readonly Milli[] }[];
}

/**
 * What of a node's idle devices the mix cannot use: for each typical pod the idle milli it has no use for, times its
 * number; divide by the number of all to have the expectation in milli-devices. A pod that cannot run there, or asks for
 * no device, has no use for any; another for those with less free than it asks of each. Source: fragmentation gradient
 * descent, Weng et al., USENIX ATC 2023, section 3.
 */
export function fragmentationOf(mix: readonly TypicalPod[], { cpuMilli, groups }: FreeOfNode): number {
  let sum = 0;
  for (const { flavor, devices } of groups) {
    let idle = 0;
    let whole = 0;
    for (const milli of devices) {
      idle += milli;
      if (milli === WHOLE_DEVICE_MILLI) whole++;
    }
    if (idle === 0) continue;
    for (const pod of mix) {
      let usable = 0;
      if (pod.deviceCount > 0 && pod.cpuMilli <= cpuMilli && mayUse(pod, flavor)) {
        usable = pod.deviceMilli < WHOLE_DEVICE_MILLI ? usableInShares(pod, devices) : usableWhole(pod, whole);
      }
      sum += pod.pods * (idle - usable);
    }
  }
  return sum;
}

function mayUse({ flavors }: TypicalPod, flavor: FlavorName | undefined): boolean {
  return flavors.length === 0 || (flavor !== undefined && flavors.includes(flavor));
}

function usableWhole({ deviceCount }: TypicalPod, whole: number): Milli {
  return whole < deviceCount ? 0 : whole * WHOLE_DEVICE_MILLI;
}

/** A pod shares one device. */
function usableInShares({ deviceMilli }: TypicalPod, devices: readonly Milli[]): Milli {
  let milli = 0;
  for (const free of devices) if (free >= deviceMilli) milli += free;
  return milli;
}

/**
 * For growth in millionths of a device: floor(100 / (1 + e^growth)) is 50 + how many of these -growth has reached, and
 * so on below 50; `round up(10^6 ln(k / (100 - k)))` for k = 51 … 99. A table, since the language does not fix the last
 * digits of `Math.exp`.
 */
const STEPS = [
  40_006, 80_043, 120_145, 160_343, 200_671, 241_163, 281_852, 322_774, 363_966, 405_466, 447_313, 489_549, 532_217,
  575_365, 619_040, 663_295, 708_186, 753_772, 800_120, 847_298, 895_385, 944_462, 994_623, 1_045_969, 1_098_613,
  1_152_680, 1_208_312, 1_265_667, 1_324_926, 1_386_295, 1_450_011, 1_516_348, 1_585_628, 1_658_229, 1_734_602,
  1_815_290, 1_900_959, 1_992_431, 2_090_742, 2_197_225, 2_313_635, 2_442_348, 2_586_690, 2_751_536, 2_944_439,
  3_178_054, 3_476_099, 3_891_821, 4_595_120,
];

/**
 * 0 to 99: high when fragmentation falls, 50 when it stays. floor(100 sigmoid((before - after) / 1000)) of
 * fragmentation in milli-devices; both are told as `fragmentationOf` gives them, with the number of pods of the mix.
 */
export function scoreOfGrowth(before: number, after: number, podsInMix: number): number {
  const falls = Math.floor(((before - after) * 1000) / podsInMix);
  if (falls >= 0) return 50 + STEPS.filter((step) => falls >= step).length;
  // Below: as high as the steps it has not fallen under. -falls > step - 1 is -falls >= step, but for whole falls.
  return 49 - STEPS.filter((step) => -falls >= step).length;
}
