// One number of each row against another: every point is a link to its run.
import { scale, shortened } from "./axes.js";
import { draw, make } from "./dom.js";
import { linked, rove } from "./links.js";

const MOST = 900;
const MARGIN = { top: 12, right: 24, bottom: 46, left: 68 };

export function scatter(parts) {
  const { rows, x, y, tint, says, more } = parts;
  const has = (row, field) => typeof row.values[field.name] === "number";
  const drawn = rows.filter((row) => has(row, x) && has(row, y));
  if (!drawn.length) {
    const lacking = x.name === y.name ? x.title : `both ${x.title} and ${y.title}`;
    return [make("p", { className: "empty", textContent: `No row has ${lacking}: choose other columns.` })];
  }
  const width = Math.min(MOST, parts.width);
  const height = Math.round(Math.min(420, Math.max(260, 0.62 * width)));
  const [right, bottom] = [width - MARGIN.right - (x.kind === "seconds" ? 20 : 0), height - MARGIN.bottom];
  const across = scale(drawn.map((row) => row.values[x.name]), x.kind, (right - MARGIN.left) / (x.kind === "seconds" ? 95 : 75));
  const up = scale(drawn.map((row) => row.values[y.name]), y.kind, (bottom - MARGIN.top) / 48);
  const left = (value) => MARGIN.left + across.part(value) * (right - MARGIN.left);
  const top = (value) => bottom - up.part(value) * (bottom - MARGIN.top);
  const grid = up.ticks.map((tick) => draw("line", { class: "grid", x1: MARGIN.left, x2: right, y1: top(tick), y2: top(tick) }));
  grid.push(...across.ticks.map((tick) => draw("line", { class: "grid", x1: left(tick), x2: left(tick), y1: MARGIN.top, y2: bottom })));
  const labels = [
    ...up.ticks.map((tick) => draw("text", { class: "tick", x: MARGIN.left - 8, y: top(tick) + 4, "text-anchor": "end" }, up.says(tick))),
    ...across.ticks.map((tick) => draw("text", { class: "tick", x: left(tick), y: bottom + 18, "text-anchor": "middle" }, across.says(tick))),
    draw("text", { class: "name", x: (MARGIN.left + right) / 2, y: height - 6, "text-anchor": "middle" }, shortened(x.title, 60)),
    draw("text", { class: "name", transform: `translate(13 ${(MARGIN.top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, shortened(y.title, 40)),
  ];
  const fields = [...new Map([x, y, ...more].map((field) => [field.name, field])).values()];
  const ordered = [...drawn].sort((one, other) => one.values[x.name] - other.values[x.name] || one.values[y.name] - other.values[y.name]);
  const points = ordered.map((row) => {
    const at = { cx: left(row.values[x.name]), cy: top(row.values[y.name]) };
    const link = draw("a", { class: "point" }, draw("circle", { ...at, r: 9, class: "around" }), draw("circle", { ...at, r: 4.5, fill: tint(row) }));
    return linked(link, row, parts, fields, fields.map((field) => `${field.title} ${says(field, row)}`).join(", "));
  });
  rove(points);
  const said = `${y.title} by ${x.title}: ${points.length} points. Arrow keys go from point to point.`;
  const picture = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": said }, ...grid, draw("g", { "aria-hidden": "true" }, ...labels), draw("g", { class: "marks" }, ...points));
  const without = rows.length - drawn.length;
  const note = without ? [make("p", { className: "soft", textContent: `${without.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows are not shown: they lack ${x.name === y.name ? x.title : `${x.title} or ${y.title}`}.` })] : [];
  return [picture, ...note];
}
