import { z } from 'zod';
import { parseYamlDocument, type DocumentResult } from '../documents/yaml-document.js';
import { readCatalogue } from '../fleet-file/read-catalogue.js';
import { scenarioListSchema, scenarioSchema, type Scenario } from './scenario.schema.js';

/** The scenarios of a file: one, or a list under `scenarios`; or all its mistakes, with their lines. */
export function readScenarioFile(text: string): DocumentResult<readonly Scenario[]> {
  const catalogue = readCatalogue();
  const peek = parseYamlDocument(text, z.looseObject({}));
  if (peek.kind === 'invalid') return peek;
  if ('scenarios' in peek.value) {
    const list = parseYamlDocument(text, scenarioListSchema(catalogue));
    return list.kind === 'invalid' ? list : { kind: 'valid', value: list.value.scenarios };
  }
  const single = parseYamlDocument(text, scenarioSchema(catalogue));
  return single.kind === 'invalid' ? single : { kind: 'valid', value: [single.value] };
}
