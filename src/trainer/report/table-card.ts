import { html, type Html } from './html.js';

/** A card with a table: its columns, if they have names, and its rows. */
export function tableCard(
  title: string,
  { heads = [], rows }: { readonly heads?: readonly Html[]; readonly rows: readonly Html[] },
  { card = 'card', table = '', caption = html`` } = {},
): Html {
  const head = html`<thead>
    <tr>
      ${heads}
    </tr>
  </thead>`;
  return html`<div class="${card}">
    <h2>${title}</h2>
    <table class="${table}">
      ${heads.length === 0 ? html`` : head}
      <tbody>
        ${rows}
      </tbody>
    </table>
    ${caption}
  </div>`;
}
