// Many columns side by side: every row is a line through its values.
import { shortened, suiting } from "./axes.js";
import { draw, make } from "./dom.js";
import { linked, rove } from "./links.js";

const HEIGHT = 360;
const MARGIN = { top: 44, side: 74, bottom: 16 };
const APART = 128;  // pixels between two axes, at least
const LABELS = 14;  // texts at an axis, at most

export function parallel(parts) {
  const { rows, fields, tint, says } = parts;
  const known = (row, field) => row.values[field.name] !== null && row.values[field.name] !== undefined;
  if (fields.length < 2) return [make("p", { className: "empty", textContent: "Choose at least two columns." })];
  const drawn = rows.filter((row) => fields.filter((field) => known(row, field)).length > 1);
  if (!drawn.length) return [make("p", { className: "empty", textContent: "No row has values in two of these columns: choose others." })];
  const width = Math.max(parts.width, 2 * MARGIN.side + APART * (fields.length - 1));
  const bottom = HEIGHT - MARGIN.bottom;
  const axes = fields.map((field, place) => {
    const values = drawn.filter((row) => known(row, field)).map((row) => row.values[field.name]);
    const axis = suiting(field, values, 5);
    const left = MARGIN.side + (place * (width - 2 * MARGIN.side)) / (fields.length - 1);
    return { field, axis, left, top: (value) => bottom - axis.part(value) * (bottom - MARGIN.top) };
  });
  const frame = axes.flatMap(({ field, axis, left, top }, place) => {
    const every = Math.ceil(axis.ticks.length / LABELS);
    const written = axis.ticks.filter((_, index) => index % every === 0);
    const title = draw("text", { class: "name", x: left, y: 16 + 14 * (place % 2), "text-anchor": "middle" }, draw("title", {}, field.title), shortened(field.title, 32));
    return [
      draw("line", { class: "axis", x1: left, x2: left, y1: MARGIN.top, y2: bottom }),
      title,
      ...written.map((tick) => draw("text", { class: "tick haloed", x: left - 6, y: top(tick) + 4, "text-anchor": "end" }, draw("title", {}, String(tick)), shortened(axis.says(tick), 15))),
    ];
  });
  const lines = drawn.map((row) => {
    const path = axes.map(({ field, left, top }, place) => {
      if (!known(row, field)) return "";
      const before = place && known(row, axes[place - 1].field);
      return `${before ? "L" : "M"}${left.toFixed(1)} ${top(row.values[field.name]).toFixed(1)}`;
    }).join("");
    const link = draw("a", { class: "line" }, draw("path", { d: path, class: "around" }), draw("path", { d: path, stroke: tint(row) }));
    return linked(link, row, parts, fields, fields.map((field) => `${field.title} ${says(field, row)}`).join(", "));
  });
  rove(lines);
  const said = `${drawn.length} rows through ${fields.length} columns. Arrow keys go from row to row.`;
  const marks = draw("g", { class: "marks" }, ...lines);
  const picture = draw("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "group", "aria-label": said }, marks, draw("g", { "aria-hidden": "true", class: "frame" }, ...frame));
  const without = rows.length - drawn.length;
  const notes = [];
  if (without) notes.push(`${without.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows are not shown: they have values in fewer than two of these columns.`);
  if (axes.some(({ axis }) => axis.ticks.length > LABELS)) notes.push("Where an axis has many values, some of them are not written.");
  return [picture, ...notes.map((textContent) => make("p", { className: "soft", textContent }))];
}
