#include "report/sections.h"

namespace ferplus::report {

// Colours are distinct for all kinds of colour vision in their lightness too (after Okabe and Ito
// 2008, darkened and lightened to a contrast of 3 to 1 with the page).
const char* const kStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f4f6f8; --ink: #16191d; --soft: #545c66; --line: #c9ced5;
  --grid: #e3e6ea; --link: #0a58a0; --mark: #fff1b8; --mark-edge: #b58100;
  --c0: #0072b2; --c1: #c24a00; --c2: #007a58; --c3: #a03890; --c4: #7d6500; --c5: #4d5359;
  --b0: #00568a; --b1: #4a93c9; --b2: #d0701d; --heat: #08306b; --dark: #000000; --bright: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --panel: #1e2329; --ink: #eceff2; --soft: #a7b0ba; --line: #3d454e;
    --grid: #2b3138; --link: #7cc0ff; --mark: #4a3d0c; --mark-edge: #e0b43c;
    --c0: #5ab4f0; --c1: #ff8f4a; --c2: #3ccf9f; --c3: #e793d8; --c4: #dcc04a; --c5: #b9c0c7;
    --b0: #86ccfa; --b1: #3d86ba; --b2: #ff9c57; --heat: #86b6ea; --dark: #eceff2;
    --bright: #000000;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.375rem; line-height: 1.25; margin: 2.5rem 0 .75rem; padding-top: 1rem;
  border-top: 1px solid var(--line); overflow-wrap: anywhere; }
h3 { font-size: 1.0625rem; line-height: 1.3; margin: 0 0 .25rem; }
.charts + figure { margin-top: 2rem; }
p { margin: 0 0 .75rem; max-width: 44rem; overflow-wrap: anywhere; }
a { color: var(--link); }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em;
  overflow-wrap: anywhere; }
td code { overflow-wrap: normal; }
.soft { color: var(--soft); }
.notice { border-left: 4px solid var(--mark-edge); background: var(--panel); padding: .75rem 1rem;
  border-radius: 0 .375rem .375rem 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0;
  padding: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 10.25rem), 1fr));
  gap: .75rem; margin: 0 0 1.5rem; }
@media (min-width: 62rem) { .tiles { grid-template-columns: repeat(4, 1fr); } }
.tiles div { background: var(--panel); border-radius: .5rem; padding: .625rem .75rem; }
.tiles dt { color: var(--soft); font-size: .875rem; line-height: 1.3; }
.tiles dd { margin: 0; }
.tiles .figure { font-size: 1.5rem; font-weight: 650; line-height: 1.3;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tiles .remark { color: var(--soft); font-size: .8125rem; line-height: 1.35; }
.charts { display: grid; gap: 2rem 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); align-items: start; }
.charts + p { margin-top: 1.25rem; }
.charts > * { min-width: 0; }
figure { margin: 0; }
figure > p { color: var(--soft); font-size: .875rem; line-height: 1.4; margin: 0 0 .5rem; }
figure > svg { display: block; width: 100%; max-width: 34rem; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0;
  margin: 0 0 1rem; }
.legend li { display: flex; align-items: center; gap: .5rem; overflow-wrap: anywhere; min-width: 0; }
.sample { width: 34px; height: 12px; flex: none; vertical-align: middle; }
.scroll { overflow-x: auto; margin: 0 0 1rem; }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--link);
  outline-offset: 2px; }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding: 0 0 .25rem; }
caption span { display: inline-block; position: sticky; left: 0; max-width: calc(100vw - 2rem); }
th, td { padding: .3125rem 1rem .3125rem 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th[scope=row], thead th:first-child, .text { text-align: left; }
th[scope=row] { font-weight: 600; }
/* Names of runs: long ones give way to figures. */
th[scope=row], thead th { white-space: normal; }
th[scope=row] { overflow-wrap: anywhere; min-width: 9rem; max-width: 15rem; }
nav a { overflow-wrap: anywhere; }
.marked { font-weight: 600; }
.marked > * { background: var(--mark); box-shadow: 0 0 0 .25rem var(--mark); border-radius: 1px; }
details { margin: .5rem 0 1rem; }
summary { cursor: pointer; color: var(--link); padding: .375rem 0; }
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 10rem), 1fr));
  gap: .75rem; list-style: none; padding: 0; margin: 0 0 1rem; }
.faces li { background: var(--panel); border-radius: .5rem; padding: .625rem; font-size: .875rem;
  line-height: 1.35; min-width: 0; overflow-wrap: anywhere; break-inside: avoid; }
.faces img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain;
  border-radius: .25rem; margin-bottom: .5rem; background: #808080; }
.faces p { margin: 0 0 .25rem; }
footer { margin-top: 3rem; padding-bottom: 2rem; color: var(--soft); font-size: .875rem; }
svg text { fill: var(--ink); font-size: 12px; font-variant-numeric: tabular-nums; }
svg .soft { fill: var(--soft); }
svg .small { font-size: 11px; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .count { font-weight: 650; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--soft); }
.ideal { stroke: var(--soft); stroke-dasharray: 5 4; }
svg .over { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
.curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
.range { stroke: var(--c); stroke-width: 2; }
.mark { fill: var(--c); stroke: var(--page); stroke-width: 1; }
.mark.best { stroke: var(--ink); stroke-width: 2; }
.gap { stroke: var(--b2); stroke-width: 9; stroke-opacity: .6; }
.bar.b0 { fill: var(--b0); } .bar.b1 { fill: var(--b1); } .bar.b2 { fill: var(--b2); }
.whisker { stroke: var(--ink); stroke-width: 1.25; }
.whisker.halo { stroke: var(--page); stroke-width: 3.5; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
.curve.d1 { stroke-dasharray: 7 3; } .curve.d2 { stroke-dasharray: 2 3; }
.curve.d3 { stroke-dasharray: 9 3 2 3; }
.cell { fill: var(--heat); stroke: var(--page); stroke-width: 1; }
.frame { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.h0 { fill-opacity: .04; } .h1 { fill-opacity: .14; } .h2 { fill-opacity: .22; }
.h3 { fill-opacity: .30; } .h4 { fill-opacity: .38; } .h5 { fill-opacity: .46; }
.h6 { fill-opacity: .54; } .h7 { fill-opacity: .74; } .h8 { fill-opacity: .84; }
.h9 { fill-opacity: .93; } .h10 { fill-opacity: 1; }
svg .on-cell { fill: var(--dark); }
svg .on-cell.bright { fill: var(--bright); }
@media print {
  body { font-size: 11pt; }
  nav, details:not([open]) { display: none; }
  /* Columns, unlike grids, keep a chart and its heading on one page. */
  .charts { display: block; columns: 2; column-gap: 1.5rem; }
  .charts > figure { margin-bottom: 1.5rem; }
  .charts > figure, .tiles div { break-inside: avoid; }
  h2, h3, figure > p { break-after: avoid; break-inside: avoid; }
  .faces { grid-template-columns: repeat(6, 1fr); }
  .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

}  // namespace ferplus::report
