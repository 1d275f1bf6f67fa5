const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A time span as kubectl writes it: precise while it is short, two units where the second still says something. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 2 * MINUTE) return `${whole}s`;
  if (whole < 10 * MINUTE) return twoUnits(whole, [MINUTE, 'm'], [1, 's']);
  if (whole < 3 * HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 8 * HOUR) return twoUnits(whole, [HOUR, 'h'], [MINUTE, 'm']);
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`;
  if (whole < 8 * DAY) return twoUnits(whole, [DAY, 'd'], [HOUR, 'h']);
  if (whole < 2 * YEAR) return `${Math.floor(whole / DAY)}d`;
  return twoUnits(whole, [YEAR, 'y'], [DAY, 'd']);
}

/** How long ago; `-` where nothing has happened yet. */
export function formatAge(timestamp: string | undefined, nowMs: number): string {
  return timestamp === undefined ? '-' : formatDuration((nowMs - Date.parse(timestamp)) / 1000);
}

type Unit = readonly [seconds: number, name: string];

function twoUnits(seconds: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}
