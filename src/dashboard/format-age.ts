import { TIME_UNITS } from './time-units.js';

/** In its largest unit, e.g. `3 d`, `17 m`, `7 s`, so that a column of ages keeps still. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds)); // the clocks of two machines differ
  const unit = TIME_UNITS.find((one) => whole >= one.seconds) ?? { letter: 's', seconds: 1 };
  return `${Math.floor(whole / unit.seconds)} ${unit.letter}`;
}
