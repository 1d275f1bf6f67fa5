import { z } from 'zod';

const SHOWN_MAX = 60;

/**
 * What a file has instead of what may stand there, for `error` of a parse: `is "5m", but must be seconds, e.g. 90`. The
 * second part is the description of the schema; without one, what the schema itself says. A message that a schema
 * states goes before it.
 */
export function mistakeMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') return undefined;
  const wanted = describedAs(issue) ?? wantedBy(issue);
  if (wanted === undefined) return undefined;
  return issue.input === undefined
    ? `is missing: it must be ${wanted}`
    : `is ${show(issue.input)}, but must be ${wanted}`;
}

function describedAs({ schema }: z.core.$ZodRawIssue): string | undefined {
  return schema === undefined ? undefined : z.globalRegistry.get(schema)?.description;
}

function wantedBy(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return typeNamed(issue.expected, issue.input);
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String).join(', ');
    return issue.values.length === 1 ? values : `one of ${values}`;
  }
  if (issue.code === 'too_small') {
    return `${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}`;
  }
  if (issue.code === 'too_big') {
    return `${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}`;
  }
  return undefined;
}

function typeNamed(expected: string, input: unknown): string | undefined {
  const isPlain = typeof input === 'string' || typeof input === 'number' || typeof input === 'boolean';
  const example = isPlain ? String(input) : undefined;
  switch (expected) {
    case 'string':
      return example === undefined ? 'text' : `text, e.g. ${JSON.stringify(example)}`;
    case 'number':
      return 'a number, e.g. 8';
    case 'int':
      return 'a whole number, e.g. 8';
    case 'boolean':
      return 'true or false';
    case 'array':
    case 'tuple':
      return `a list, e.g. [${example ?? 'one, two'}]`;
    case 'object':
    case 'record':
      return 'a mapping, e.g. {name: value}';
    default:
      return undefined;
  }
}

function amount(limit: unknown, origin: string): string {
  const one = limit === 1;
  if (origin === 'string') return `${String(limit)} ${one ? 'character' : 'characters'} long`;
  if (origin === 'array') return `${String(limit)} ${one ? 'entry' : 'entries'} long`;
  return String(limit);
}

/** As the file has it, so far as it is short. */
function show(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
