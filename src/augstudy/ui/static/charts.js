// Charts of the rows that are found: any two numbers against each other, and many columns at once.
import { NUMBERS } from "./axes.js";
import { Choices } from "./choices.js";
import { get, make, offer } from "./dom.js";
import { parallel } from "./parallel.js";
import { scatter } from "./scatter.js";
import { text } from "./table.js";

const [PALE, DEEP] = [[143, 176, 214], [30, 60, 110]];  // the ends of a scale of colours
const PLAIN = "#3b6fb6";
const LEGEND = 14;
const USUAL = new Set(["settings.arms", "settings.level", "settings.source"]);  // what columns say
const APART = new Set(["id", "name", "note", "link", "user", "where", "code", "data_hash"]);

export class Charts {
  constructor(parts) {
    Object.assign(this, parts, { asked: 0, fields: new Map(), answer: null });
    new ResizeObserver(() => this.draw()).observe(this.place);
  }

  // Which columns there are; the frame is made once, and filled with every answer.
  know(fields, settings) {
    this.columns = fields;
    this.settings = settings;
    this.fields = new Map([...fields, ...settings].map((field) => [field.name, field]));
    const select = (id, title) => {
      const box = make("select", { id });
      box.addEventListener("change", () => { this.state[id] = box.value; this.changed(); });
      this[id] = box;
      return make("label", {}, `${title} `, box);
    };
    this.only = make("input", { type: "checkbox", id: "only" });
    this.only.addEventListener("change", () => { this.state.only = this.only.checked ? "ticks" : ""; this.changed(); });
    this.ticked = make("label", {}, this.only, make("span"));
    this.note = make("p", { className: "soft", role: "status" });
    this.legend = make("div", { className: "legend" });
    this.scatter = make("div", { className: "chart", id: "scatter" });
    this.parallel = make("div", { className: "chart scroll", id: "parallel", tabIndex: 0, role: "region", ariaLabel: "Parallel coordinates" });
    this.tip = make("div", { className: "tip", hidden: true, ariaHidden: "true" });
    const menu = make("details", { className: "chooser", id: "axes" }, make("summary", { textContent: "Columns of the chart" }), make("div", { className: "choices" }));
    this.menu = new Choices(menu, (names) => { this.state.axes = names; this.changed(); });
    this.menu.fill([...fields.filter((field) => !APART.has(field.name)), ...settings], this.axes());
    this.place.replaceChildren(
      make("div", { className: "picks" }, select("colour", "Colour by"), this.ticked),
      this.note,
      this.legend,
      make("h2", { textContent: "Two numbers" }),
      make("div", { className: "picks" }, select("x", "Across"), select("y", "Up")),
      this.scatter,
      make("h2", { textContent: "Many columns" }),
      make("div", { className: "picks" }, menu, make("span", { textContent: "Every line is a row of the table." })),
      this.parallel,
      this.tip,
    );
    this.place.addEventListener("keydown", (event) => { if (event.key === "Escape") this.tip.hidden = true; });
  }

  // What is drawn unless something else is chosen.
  shown() {
    const { x, y, colour } = this.state;
    return { x: x || "level", y: y || "accuracy", colour: colour || "arm" };
  }

  axes() {
    if (this.state.axes.length) return this.state.axes;
    return [...this.settings.filter((field) => !USUAL.has(field.name)).slice(0, 3).map((field) => field.name), "level", "arm", "accuracy", "duration_s"];
  }

  field(name) {
    return this.fields.get(name) ?? { name, title: name.replace(/^settings\./, ""), kind: "text" };
  }

  async load() {
    if (this.state.view !== "charts" || !this.columns) return;
    const asked = ++this.asked;
    const { x, y, colour } = this.shown();
    const numbers = (fields) => fields.filter((field) => NUMBERS.has(field.kind));
    const groups = [{ title: "Columns", fields: numbers(this.columns) }, { title: "Settings that differ", fields: numbers(this.settings) }];
    offer(this.x, x, groups);
    offer(this.y, y, groups);
    const colours = this.columns.filter((field) => !["note", "link", "name", "date"].includes(field.name) && !/_(low|high)$/.test(field.name));
    offer(this.colour, colour, [{ fields: [{ name: "none", title: "nothing" }] }, { title: "Columns", fields: colours }, { title: "Settings that differ", fields: this.settings }]);
    this.menu.tick(this.axes());
    const { ticks, only } = this.state;
    this.ticked.hidden = !ticks.size;
    this.ticked.lastChild.textContent = ` Only the ${ticks.size} ticked`;
    this.only.checked = only === "ticks";
    try {
      const answer = await get(`api/points?${this.query()}`);
      if (asked !== this.asked) return;
      this.answer = answer;
      this.complain(null);
      this.draw();
    } catch (error) {
      if (asked === this.asked) this.complain(error);
    }
  }

  // What has come meanwhile, unless somebody is reading a point or a line.
  async refresh() {
    if (this.place.hidden || !this.answer) return;
    const asked = this.asked;
    const answer = await get(`api/points?${this.query()}`);
    const read = !this.tip.hidden || document.activeElement?.closest(".marks");
    if (asked !== this.asked || read || JSON.stringify(answer) === JSON.stringify(this.answer)) return;
    this.answer = answer;
    this.draw();
  }

  query() {
    const { where, search, sort, ticks, only } = this.state;
    const { x, y, colour } = this.shown();
    const columns = [...new Set([x, y, ...(colour === "none" ? [] : [colour]), ...this.axes()])];
    const coloured = colour === "none" || NUMBERS.has(this.field(colour).kind) ? "" : colour;
    return new URLSearchParams({ where, search, sort, columns, colour: coloured, ticks: only && ticks.size ? [...ticks] : "" });
  }

  draw() {
    if (!this.answer || this.place.hidden || !this.place.clientWidth) return;
    const { rows, total } = this.answer;
    const { x, y, colour } = this.shown();
    this.note.textContent = total > rows.length ? `The first ${rows.length.toLocaleString("en")} of ${total.toLocaleString("en")} rows are drawn: filter for fewer.` : `${total.toLocaleString("en")} ${total === 1 ? "row" : "rows"}.`;
    const tint = this.tints(rows, colour);
    const parts = {
      rows,
      tint,
      width: Math.max(280, this.place.clientWidth - 2 * parseFloat(getComputedStyle(this.place).paddingLeft)),
      name: (row) => (row.arm ? `Run ${row.id}, ${row.arm}` : `Run ${row.id}`),
      says: (field, row) => this.says(field, row),
      link: (row) => this.address({ open: String(row.id) }),
      open: (row) => this.open(row.id),
      tell: (row, fields, at) => this.tell(row, fields, at),
    };
    this.scatter.replaceChildren(...scatter({ ...parts, x: this.field(x), y: this.field(y), more: colour === "none" ? [] : [this.field(colour)] }));
    this.parallel.replaceChildren(...parallel({ ...parts, fields: this.axes().map((name) => this.field(name)) }));
    this.tip.hidden = true;
  }

  says(field, row) {
    const value = row.values[field.name];
    return value === null || value === undefined ? "none" : typeof value === "number" ? text(field.kind === "text" ? { kind: "number" } : field, value) : String(value);
  }

  // The colour of each row; above the charts is written which is which.
  tints(rows, name) {
    const field = this.field(name);
    const dot = (shade) => {
      const made = make("span", { className: "dot" });
      made.style.background = shade;
      return made;
    };
    if (name === "none") {
      this.legend.replaceChildren();
      return () => PLAIN;
    }
    const known = rows.map((row) => row.values[name]).filter((value) => typeof value === "number");
    if (NUMBERS.has(field.kind) && known.length) {
      const [low, high] = [Math.min(...known), Math.max(...known)];
      const mix = (part) => `rgb(${PALE.map((from, place) => Math.round(from + part * (DEEP[place] - from))).join(" ")})`;
      const ends = [[low, 0], [high, 1]].slice(0, low === high ? 1 : 2);
      this.legend.replaceChildren(`${field.title}:`, ...ends.map(([value, part]) => make("span", {}, dot(mix(part)), text(field, value))));
      return (row) => (typeof row.values[name] === "number" ? mix(low === high ? 0 : (row.values[name] - low) / (high - low)) : "#9aa5b1");
    }
    const { colours } = this.answer;
    const names = Object.entries(colours);
    const more = names.length > LEGEND ? [`and ${names.length - LEGEND} more`] : [];
    this.legend.replaceChildren(`${field.title}:`, ...names.slice(0, LEGEND).map(([value, shade]) => make("span", {}, dot(shade), value)), ...more);
    return (row) => colours[String(row.values[name])] ?? "#9aa5b1";
  }

  // Shows what a point or a line stands for, beside it and within the window.
  tell(row, fields, at) {
    this.tip.hidden = !row;
    if (!row) return;
    const lines = fields.map((field) => make("span", {}, `${field.title}: ${this.says(field, row)}`));
    this.tip.replaceChildren(make("b", { textContent: row.arm ? `Run ${row.id}, ${row.arm}` : `Run ${row.id}` }), ...lines);
    const { width, height } = this.tip.getBoundingClientRect();
    this.tip.style.left = `${Math.max(4, Math.min(at.x + 14, innerWidth - width - 4))}px`;
    this.tip.style.top = `${Math.max(4, at.y + 14 + height > innerHeight ? at.y - height - 10 : at.y + 14)}px`;
  }
}
