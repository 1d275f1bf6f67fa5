import { LineCounter, isNode, parseAllDocuments, type Document } from 'yaml';
import type { z } from 'zod';
import { mistakeMessage } from './mistake-message.js';

/** One mistake in a file, where a person finds it: 1-based line and column, and the path of the field. */
export interface DocumentProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

export type DocumentResult<T> =
  | { readonly kind: 'valid'; readonly value: T }
  | { readonly kind: 'invalid'; readonly problems: readonly DocumentProblem[] };

const BYTES_MAX = 1024 * 1024;
const ALIASES_MAX = 100;

/**
 * Reads the YAML (or JSON) documents of one file, checks each against `schema`, and reports every mistake at once with
 * its line. An unknown field points at the field; a missing one at the mapping it is missing from.
 */
export function parseYamlDocuments<T>(text: string, schema: z.ZodType<T>): DocumentResult<readonly T[]> {
  if (Buffer.byteLength(text) > BYTES_MAX) {
    return invalid([{ line: 1, column: 1, path: '', message: `is larger than ${BYTES_MAX} bytes` }]);
  }
  const lines = new LineCounter();
  const documents = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })];
  if (documents.length === 0) return invalid([{ line: 1, column: 1, path: '', message: 'holds no document' }]);
  const values: T[] = [];
  const problems: DocumentProblem[] = [];
  for (const document of documents) {
    const result = checkDocument(document, schema, lines);
    if (result.kind === 'valid') values.push(result.value);
    else problems.push(...result.problems);
  }
  return problems.length > 0 ? invalid(problems) : { kind: 'valid', value: values };
}

/** As `parseYamlDocuments`, for a file that holds exactly one document. */
export function parseYamlDocument<T>(text: string, schema: z.ZodType<T>): DocumentResult<T> {
  const result = parseYamlDocuments(text, schema);
  if (result.kind === 'invalid') return result;
  const [value, ...more] = result.value;
  if (value === undefined || more.length > 0) {
    return invalid([{ line: 1, column: 1, path: '', message: 'must hold exactly one document' }]);
  }
  return { kind: 'valid', value };
}

/** A file with more mistakes than this is a wrong file, and a person reads the first ones. */
const PROBLEMS_SHOWN = 20;

/** `file:line:column: path: message`, one line a problem, as compilers print it. */
export function formatProblems(file: string, problems: readonly DocumentProblem[]): string {
  const shown = problems
    .slice(0, PROBLEMS_SHOWN)
    .map(({ line, column, path, message }) => `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`);
  const left = problems.length - shown.length;
  return [...shown, ...(left > 0 ? [`${file}: and ${left} more`] : [])].join('\n');
}

function checkDocument<T>(document: Document, schema: z.ZodType<T>, lines: LineCounter): DocumentResult<T> {
  if (document.errors.length > 0) {
    return invalid(
      document.errors.map((error) => ({ ...position(lines, error.pos[0]), path: '', message: error.message })),
    );
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: ALIASES_MAX }), { error: mistakeMessage });
  if (parsed.success) return { kind: 'valid', value: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(document, issue, lines));
  return invalid(problems.sort((a, b) => a.line - b.line || a.column - b.column));
}

function problemsOf(document: Document, issue: z.core.$ZodIssue, lines: LineCounter): DocumentProblem[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  const closest = issue.code === 'invalid_union' ? closestOf(issue.errors) : undefined;
  if (closest !== undefined) {
    return closest.flatMap((inner) => problemsOf(document, { ...inner, path: [...path, ...inner.path] }, lines));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...locate(document, [...path, key], lines),
      path: [...path, key].join('.'),
      message: 'is not a known field',
    }));
  }
  return [{ ...locate(document, path, lines), path: path.join('.'), message: issue.message }];
}

/** The mistakes of the one form that the value was meant to have: the right sort of value, and the fewest mistakes. */
function closestOf(forms: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const alike = forms.filter((issues) =>
    issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  const fewest = Math.min(...alike.map((issues) => issues.length));
  const [closest, ...more] = alike.filter((issues) => issues.length === fewest);
  return more.length === 0 ? closest : undefined;
}

/** The position of a field, or of the nearest parent that exists. A mapping's key is pointed at, not its value. */
function locate(document: Document, path: readonly (string | number)[], lines: LineCounter): Position {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const key = path[depth - 1];
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const offset = keyOffset(parent, key) ?? nodeOffset(document.getIn(path.slice(0, depth), true));
    if (offset !== undefined) return position(lines, offset);
  }
  return position(lines, nodeOffset(document.contents) ?? 0);
}

interface Position {
  readonly line: number;
  readonly column: number;
}

function position(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function nodeOffset(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyOffset(parent: unknown, key: string | number | undefined): number | undefined {
  if (typeof parent !== 'object' || parent === null || !('items' in parent) || !Array.isArray(parent.items)) return;
  for (const item of parent.items as readonly unknown[]) {
    if (typeof item !== 'object' || item === null || !('key' in item)) continue;
    const node = item.key;
    if (isNode(node) && 'value' in node && node.value === key) return node.range?.[0];
  }
  return undefined;
}

function invalid(problems: readonly DocumentProblem[]): { kind: 'invalid'; problems: readonly DocumentProblem[] } {
  return { kind: 'invalid', problems };
}
