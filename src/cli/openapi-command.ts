import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { write } from './output.js';

/** For the generated reference: the document of this version, without a database or a cluster. */
export function addOpenApiCommand(program: Command): void {
  program
    .command('openapi')
    .description('print the OpenAPI document of the API')
    .option('--out <file>', 'write it to this file')
    .action(async ({ out }: { readonly out?: string }) => {
      const { previewOpenApi } = await import('./preview-openapi.js'); // it brings the whole server along
      const text = `${JSON.stringify(await previewOpenApi(), undefined, 2)}\n`;
      if (out === undefined) write(text);
      else await writeFile(out, text);
    });
}
