import { parseYamlDocument, type DocumentResult } from '../documents/yaml-document.js';
import { fleetOf, type Fleet } from './fleet-nodes.js';
import { fleetFileSchema } from './fleet.schema.js';
import { readCatalogue } from './read-catalogue.js';

/** The text of a fleet file as nodes, in the order of the file; or all its mistakes, with their lines. */
export function readFleetFile(text: string): DocumentResult<Fleet> {
  const catalogue = readCatalogue();
  const result = parseYamlDocument(text, fleetFileSchema(catalogue));
  return result.kind === 'invalid' ? result : { kind: 'valid', value: fleetOf(result.value, catalogue) };
}
