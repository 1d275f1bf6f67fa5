import { TIME_UNITS } from './time-units.js';

/** The two largest units, e.g. `2 d 4 h`, `1 m 05 s`, `7 s`; the clocks of two machines differ, so never below 0. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  for (const [index, { letter, seconds: size }] of TIME_UNITS.entries()) {
    if (whole < size) continue;
    const smaller = TIME_UNITS[index + 1] ?? { letter: 's', seconds: 1 };
    const rest = Math.floor((whole % size) / smaller.seconds);
    return `${Math.floor(whole / size)} ${letter} ${String(rest).padStart(2, '0')} ${smaller.letter}`;
  }
  return `${whole} s`;
}
