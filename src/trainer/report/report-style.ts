/** Light, printable, without scripts; the page is served in a sandbox and must not need anything from outside. */
export const REPORT_STYLE = `
:root { color-scheme: light; --ink: #0f172a; --soft: #475569; --faint: #94a3b8; --rule: #e2e8f0; --paper: #ffffff;
  --ground: #f8fafc; --accent: #2563eb; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 48px; }
header { margin-bottom: 24px; }
.eyebrow { margin: 0; color: var(--soft); font-size: 13px; letter-spacing: .08em; text-transform: uppercase; }
h1 { margin: 2px 0 4px; font-size: 30px; line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 0 0 12px; font-size: 16px; letter-spacing: -.005em; }
.lead { margin: 0; color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 16px; }
.tile, .card { background: var(--paper); border: 1px solid var(--rule); border-radius: 12px; }
.tile { padding: 14px 18px; }
.tile.main { background: var(--accent); border-color: var(--accent); color: #fff; }
.tile .label { font-size: 13px; color: var(--soft); }
.tile.main .label { color: #dbeafe; }
.tile .value { font-size: 28px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.cards { display: flex; flex-wrap: wrap; gap: 16px; }
.card { flex: 1 1 min(100%, 440px); padding: 18px 20px; min-width: 0; overflow-x: auto; }
.card.wide { flex-basis: 100%; }
.card svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
tr:last-child > th, tr:last-child > td { border-bottom: 0; }
thead th { color: var(--soft); font-size: 13px; font-weight: 600; }
tbody th { font-weight: 500; color: var(--soft); }
.number { text-align: right; white-space: nowrap; }
.confusion { table-layout: fixed; border-spacing: 4px; border-collapse: separate; }
.confusion th, .confusion td { border: 0; border-radius: 8px; text-align: center; vertical-align: middle; }
.confusion tbody th { text-align: right; color: var(--ink); }
.confusion td { padding: 16px 8px; font-size: 18px; font-weight: 600; }
.confusion small { display: block; font-size: 12px; font-weight: 400; opacity: .85; }
.caption { margin: 10px 0 0; font-size: 13px; color: var(--soft); }
footer { margin-top: 24px; color: var(--faint); font-size: 13px; }
@media print { body { background: #fff; } main { padding: 0; } .card, .tile { break-inside: avoid; } }
`;
