// A table of any length: only the rows in sight exist, and pages of rows come as they are needed.
import { get, make } from "./dom.js";

const HEIGHT = 32;
const PAGE = 200;
const AROUND = 12;
const RIGHT = new Set(["id", "integer", "number", "share", "points", "seconds"]);
const GOOD = new Set(["helps", "promoted", "stable"]);
const BAD = new Set(["hurts", "failed", "interrupted", "damaged", "canceled", "collapsed"]);
const PILLS = new Set(["state", "verdict", "outcome", "gan_verdict"]);

export function text(field, value) {
  if (value === null || value === undefined) return "";
  const minus = (number) => number.replace("-", "\u2212");
  if (field.kind === "share") return `${(100 * value).toFixed(1)}\u00a0%`;
  if (field.kind === "points") return minus(points(value));
  if (field.kind === "number") return minus(String(Number(value.toPrecision(3))));
  if (field.kind === "integer") return value.toLocaleString("en");
  if (field.kind === "seconds") return duration(value);
  if (field.kind === "date") return value.slice(0, 16);
  return field.kind === "hash" ? value.slice(0, 12) : String(value);
}

function points(share) {
  const number = (100 * share).toFixed(1);
  return Number(number) === 0 ? "0.0" : `${share > 0 ? "+" : ""}${number}`;
}

export function duration(seconds) {
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${two(Math.round(seconds) % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

export function cell(field, row) {
  const said = text(field, row[field.name]);
  if (PILLS.has(field.name) && said) {
    const word = String(row[field.name]);
    return make("span", { className: `pill ${GOOD.has(word) ? "helps" : BAD.has(word) ? "hurts" : ""}`, textContent: said });
  }
  const [low, high] = [row[`${field.name}_low`], row[`${field.name}_high`]];
  if (low === null || low === undefined || !said) return document.createTextNode(said);
  const ends = `${text(field, low)} to ${text(field, high)}`;
  return make("span", {}, said, make("small", { textContent: ends.replace("\u00a0%", "") }));
}

// The value that the rows of a group share; a setting is no column, and shown as it is.
export function named(field, value) {
  if (value === null || value === undefined || value === "") return "none";
  return field ? text(field, value) : String(value);
}

const several = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

export class Table {
  constructor(parts) {
    Object.assign(this, parts);
    this.fields = new Map();
    this.settings = [];
    this.pages = new Map();
    this.total = 0;
    this.running = 0;
    this.asked = 0;
    this.scroller.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  head() {
    const cells = this.state.columns.map((name) => {
      const field = this.fields.get(name);
      if (!field) return make("th");
      const [first] = this.state.sort.split(",");
      const down = first === `-${name}`;
      const arrow = down ? " \u2193" : first === name ? " \u2191" : "";
      const button = make("button", { type: "button", textContent: field.title + arrow, title: `${field.meaning}\n${name}` });
      button.addEventListener("click", () => this.sort(field, first, down));
      const made = make("th", { className: RIGHT.has(field.kind) ? "num" : "" }, button);
      made.dataset.field = name;
      if (arrow) made.setAttribute("aria-sort", down ? "descending" : "ascending");
      return made;
    });
    const compare = make("th", {}, make("span", { className: "hidden", textContent: "Compare" }));
    this.heads.replaceChildren(compare, ...cells);
  }

  sort(field, first, down) {
    // Numbers are most often wanted largest first.
    const numbers = RIGHT.has(field.kind);
    const next = numbers ? [`-${field.name}`, field.name] : [field.name, `-${field.name}`];
    const place = next.indexOf(down ? `-${field.name}` : first);
    this.state.sort = place === 1 ? "" : next[place + 1];
    this.head();
    this.changed(true);
  }

  // What the rows are of: answers to an older question are dropped.
  async load() {
    this.asked += 1;
    this.pages.clear();
    this.scroller.scrollTop = 0;
    await this.page(0);
  }

  async page(number) {
    if (this.pages.has(number)) return;
    const asked = this.asked;
    this.pages.set(number, null);
    try {
      const found = await get(`api/rows?${this.query(number)}`);
      if (asked !== this.asked) return;
      this.pages.set(number, found.rows);
      this.take(found);
      this.complain(null);
      this.draw();
    } catch (error) {
      if (asked !== this.asked) return;
      // A question that was refused would be refused again with every drawing.
      if (!error.refused) this.pages.delete(number);
      this.complain(error);
    }
  }

  // What an answer says of the whole table.
  take(found) {
    this.total = found.lines;
    this.running = found.running;
    const count = found.total.toLocaleString("en");
    const running = found.running ? `, ${found.running} running` : "";
    const rows = found.all === 1 ? "row" : "rows";
    this.count.textContent = (found.total === found.all ? `${count} ${rows}` : `${count} of ${found.all.toLocaleString("en")} ${rows}`) + running;
    this.found(found);
  }

  // The pages in sight once more, where they are: runs go on, end and begin.
  async refresh() {
    const asked = this.asked;
    const top = Math.floor(this.scroller.scrollTop / HEIGHT / PAGE);
    const end = Math.floor((this.scroller.scrollTop + this.scroller.clientHeight) / HEIGHT / PAGE);
    const fresh = new Map();
    let last = null;
    for (let number = top; number <= end; number += 1) {
      last = await get(`api/rows?${this.query(number)}`);
      fresh.set(number, last.rows);
    }
    if (asked !== this.asked) return;
    const same = last.lines === this.total && [...fresh].every(([number, rows]) => JSON.stringify(rows) === JSON.stringify(this.pages.get(number)));
    if (last.lines !== this.total) this.pages.clear();
    for (const [number, rows] of fresh) this.pages.set(number, rows);
    this.take(last);
    if (!same) this.draw();
  }

  query(number) {
    const { where, search, sort, group } = this.state;
    return new URLSearchParams({ where, search, sort, group, offset: number * PAGE, limit: PAGE });
  }

  // The row, or the box in it, that has the focus is made anew with all others.
  held() {
    const at = document.activeElement;
    const row = at && this.body.contains(at) ? at.closest("tr.row") : null;
    return row ? { name: row.dataset.name, box: at.tagName === "INPUT" } : null;
  }

  give(held) {
    const row = held && [...this.body.children].find((item) => item.dataset.name === held.name);
    if (row) (held.box ? row.querySelector("input") : row).focus({ preventScroll: true });
  }

  draw() {
    const held = this.held();
    const seen = Math.ceil(this.scroller.clientHeight / HEIGHT);
    const top = Math.max(0, Math.floor(this.scroller.scrollTop / HEIGHT) - AROUND);
    const end = Math.min(this.total, top + seen + 2 * AROUND);
    const rows = [this.space(top)];
    for (let place = top; place < end; place += 1) {
      const number = Math.floor(place / PAGE);
      const page = this.pages.get(number);
      if (page === undefined) this.page(number);
      const line = page?.[place % PAGE];
      rows.push(!line ? this.space(1) : line.group ? this.group(line.group) : this.row(line));
    }
    rows.push(this.space(this.total - end));
    this.body.replaceChildren(...rows);
    this.give(held);
  }

  space(count) {
    const inside = make("td", { colSpan: this.state.columns.length + 1 });
    inside.style.height = `${count * HEIGHT}px`;
    return make("tr", { className: "space", hidden: count === 0, ariaHidden: "true" }, inside);
  }

  // The head of a group: its value over the columns up to the first that has a mean.
  group({ value, runs, rows, figures }) {
    const { columns, group } = this.state;
    const first = columns.findIndex((name) => this.fields.get(name)?.measured);
    const wide = first < 0 ? columns.length : first;
    const title = this.fields.get(group)?.title ?? group.replace(/^settings\./, "");
    const many = `${several(runs, "run")}${rows === runs ? "" : `, ${several(rows, "row")}`}`;
    const said = named(this.fields.get(group), value);
    const head = make("th", { scope: "rowgroup", colSpan: wide + 1, title: said }, `${title}: ${said} `, make("small", { textContent: many }));
    const cells = columns.slice(wide).map((name) => {
      const [field, found] = [this.fields.get(name), figures[name]];
      if (!found) return make("td");
      const ends = found.low === found.high ? "" : `${text(field, found.low)} to ${text(field, found.high)}`;
      return make("td", { className: "num", title: `Mean of the group: ${text(field, found.mean)}${ends && ` (${ends})`}` }, text(field, found.mean), " ", make("small", { textContent: ends.replace("\u00a0%", "") }));
    });
    return make("tr", { className: "group" }, head, ...cells);
  }

  row(row) {
    const name = `${row.id}:${row.arm}`;
    const box = make("input", { type: "checkbox", checked: this.state.ticks.has(name), disabled: !row.arm, ariaLabel: `Compare ${name}` });
    box.addEventListener("click", (event) => event.stopPropagation());
    box.addEventListener("change", () => {
      if (box.checked) this.state.ticks.add(name); else this.state.ticks.delete(name);
      this.changed(false);
    });
    const cells = this.state.columns.map((column) => {
      const field = this.fields.get(column);
      if (!field) return make("td");
      const said = row[column];
      return make("td", { className: RIGHT.has(field.kind) ? "num" : "", title: typeof said === "string" && said.length > 24 ? said : "" }, cell(field, row));
    });
    const made = make("tr", { className: `row${String(row.id) === this.state.open ? " open" : ""}`, tabIndex: 0 }, make("td", {}, box), ...cells);
    made.dataset.name = name;
    made.addEventListener("click", () => this.open(row));
    made.addEventListener("keydown", (event) => { if (event.key === "Enter") this.open(row); });
    return made;
  }
}
