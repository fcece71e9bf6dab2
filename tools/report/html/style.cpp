#include "tools/report/html/style.h"

namespace mrcnn {

// Lines have a contrast of at least 3:1 against their ground and text at least 4.5:1 (WCAG 2.1,
// 1.4.11 and 1.4.3). Hues follow Okabe and Ito 2008, darker on white.
std::string_view chart_style() {
  return R"(
:root { color-scheme: light dark; --ground: #ffffff; --panel: #f6f7f9; --text: #1b1f24;
  --quiet: #59616b; --rule: #d5d9df; --bar: #cfe3f3; --link: #0b5cad;
  --c0: #0072b2; --c1: #c44e00; --c2: #00805c; --c3: #a3428a; --c4: #1b1f24; --c5: #8a6a00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --panel: #1d2126; --text: #e6e8eb; --quiet: #a2aab4; --rule: #363c44;
    --bar: #24435c; --link: #7db8f0;
    --c0: #56b4e9; --c1: #f08a4b; --c2: #2fc79b; --c3: #e08bc4; --c4: #e6e8eb; --c5: #d9bd3f; } }
svg.chart { font: 13px system-ui, sans-serif; }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); }
.s3 { --c: var(--c3); } .s4 { --c: var(--c4); } .s5 { --c: var(--c5); }
.chart text { fill: var(--text); }
.chart .tick, .chart .name { fill: var(--quiet); }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis { stroke: var(--quiet); stroke-width: 1; }
.line { stroke: var(--c); stroke-width: 2; fill: none; stroke-linejoin: round; }
.line.s3, .line.s4, .line.s5 { stroke-dasharray: 6 3; }
.faint { stroke-width: 1; stroke-opacity: .35; stroke-dasharray: none !important; }
.dot, .bar { fill: var(--c); }
.strip { fill: var(--text); fill-opacity: 0; }
.strip:hover { fill-opacity: .1; }
)";
}

std::string_view page_style() {
  return R"(
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2rem) 3rem; max-width: 72rem;
  background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem;
  border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
p { margin: .5rem 0; max-width: 46rem; }
.quiet, figcaption, caption { color: var(--quiet); }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .75rem 0;
  list-style: none; }
nav a { display: inline-block; padding: .3rem 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem;
  margin: 1rem 0; }
.tiles div { background: var(--panel); border: 1px solid var(--rule); border-radius: .5rem;
  padding: .6rem .8rem; }
.tiles dt { color: var(--quiet); font-size: .875rem; }
.tiles dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 1rem; }
figure { margin: 0; }
.figures figure { background: var(--panel); border: 1px solid var(--rule); border-radius: .5rem;
  padding: .6rem .6rem .3rem; }
.figures figcaption { color: var(--text); font-weight: 600; margin: 0 .3rem .3rem; }
svg.chart { display: block; width: 100%; height: auto; max-width: 40rem; margin: 0 auto; }
.scroll { overflow-x: auto; margin: .75rem 0 1.25rem; }
.scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; padding: .25rem 0; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: right;
  white-space: nowrap; }
thead th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--ground);
  max-width: min(20rem, 45vw); min-width: 5rem; white-space: normal; overflow-wrap: break-word; }
.words { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 10rem; }
td.share { background: linear-gradient(90deg, var(--bar) var(--v), transparent var(--v))
  no-repeat; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr));
  gap: 1rem; align-items: start; }
.gallery img { display: block; width: 100%; height: auto; border: 1px solid var(--rule); }
.gallery figcaption { font-size: .875rem; line-height: 1.35; margin-top: .3rem; }
@media print { nav { display: none; } figure, table { break-inside: avoid; } }
)";
}

}  // namespace mrcnn
