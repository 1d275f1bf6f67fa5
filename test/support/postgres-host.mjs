// A server in miniature, to be killed: opens the embedded PostgreSQL, says where it is, and stays until SIGTERM.
// With `rows` it also commits one row after the other and says the number of each once it is committed.
// node postgres-host.mjs '{"directory": "…", "rows": true}'
import pg from 'pg';

// Compiled, with the types of its source: a literal path would have the compiler check its own output.
const compiled = new URL('../../dist/server/database/embedded-postgres.js', import.meta.url).href;
/** @type {typeof import('../../src/server/database/embedded-postgres.js')} */
const { EmbeddedPostgres } = await import(compiled);

/** @type {{ directory: string, rows?: boolean }} */
const { directory, rows } = JSON.parse(process.argv[2] ?? '{}');
const alive = setInterval(() => undefined, 60_000);
const postgres = await EmbeddedPostgres.open({ directory });
process.once('SIGTERM', () => {
  clearInterval(alive);
  void postgres.close();
});
process.stdout.write(`ready ${postgres.url}\n`);

if (rows === true) {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('CREATE TABLE rows (number integer PRIMARY KEY)');
  for (let number = 1; ; number += 1) {
    await client.query('INSERT INTO rows VALUES ($1)', [number]);
    process.stdout.write(`row ${number}\n`);
  }
}
