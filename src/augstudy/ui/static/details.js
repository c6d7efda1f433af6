// What is known of one run, beside the table: facts, curves, samples over time, heat maps.
import { get, make } from "./dom.js";
import { note } from "./note.js";
import { cell, duration, text } from "./table.js";

const APART = ["id", "changed", "link", "note"];  // what the panel shows elsewhere than among its facts

export class Details {
  constructor(place, state, changed, complain, noted) {
    Object.assign(this, { place, state, changed, complain, noted, asked: 0 });
  }

  async show() {
    const asked = ++this.asked;
    try {
      const run = await get(`api/run/${encodeURIComponent(this.state.open)}`);
      if (asked !== this.asked) return;
      this.run = run;
      this.frame();
      this.complain(null);
    } catch (error) {
      this.complain(error);
    }
  }

  close() {
    this.state.open = this.state.tab = "";
    this.hide();
    this.changed();
  }

  hide() {
    this.asked += 1;
    this.place.hidden = true;
  }

  // What is known by now of a run that goes on; the other tabs wait for the next click.
  async refresh() {
    const run = await get(`api/run/${encodeURIComponent(this.state.open)}`);
    const same = JSON.stringify(run) === JSON.stringify(this.run);
    if (same || this.place.querySelector(".noting") || this.state.tab !== "Record" || String(run.record.id) !== this.state.open) return;
    const focused = this.place.contains(document.activeElement);
    this.run = run;
    this.frame();
    if (focused) this.place.querySelector("[aria-selected=true]").focus({ preventScroll: true });
  }

  frame() {
    const { record, cams, curves, gan, report } = this.run;
    const tabs = { Record: () => this.facts() };
    if (curves.length) tabs.Curves = () => this.curves();
    if (gan) tabs.Samples = () => this.samples();
    if (cams.length) tabs["Heat maps"] = () => this.cams();
    if (!tabs[this.state.tab]) this.state.tab = "Record";
    const close = make("button", { className: "plain close", type: "button", textContent: "Close" });
    close.addEventListener("click", () => this.close());
    const names = Object.keys(tabs);
    const choose = (name, focus) => {
      this.state.tab = name;
      this.changed();
      this.frame();
      if (focus) this.place.querySelector("[aria-selected=true]").focus();
    };
    this.inside = make("div", { id: "inside", role: "tabpanel", ariaLabel: this.state.tab });
    const bar = make("div", { id: "tabs", role: "tablist", ariaLabel: `Run ${record.id}` }, ...names.map((name, place) => {
      const chosen = name === this.state.tab;
      const button = make("button", { type: "button", role: "tab", textContent: name, tabIndex: chosen ? 0 : -1 });
      button.setAttribute("aria-selected", String(chosen));
      button.addEventListener("click", () => choose(name, true));
      button.addEventListener("keydown", ({ key }) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
        if (step) choose(names[(place + step + names.length) % names.length], true);
      });
      return button;
    }));
    const row = make("div", { className: "tabbar" }, bar);
    const elsewhere = (href, title) => make("a", { href: `run/${record.id}/${href}`, target: "_blank", rel: "noopener", textContent: `${title} \u2197` });
    if (report) row.append(elsewhere("report.html", "Report"));
    row.append(elsewhere("", "All files"));
    this.place.replaceChildren(close, make("h2", { textContent: `Run ${record.id}` }), row, this.inside);
    this.place.hidden = false;
    tabs[this.state.tab]();
  }

  // Why a run failed, or the steps that it is at.
  standing() {
    const { record, progress } = this.run;
    if (record.error) return [make("p", { className: "trouble", textContent: record.error })];
    if (!progress) return [];
    const steps = progress.steps.map(({ title, share, left_s: left, text: said }) => {
      const bar = make("progress", { max: 1, ariaLabel: title });
      if (share !== null) bar.value = share;
      const part = share === null ? "" : `${Math.round(100 * share)}\u00a0%`;
      const more = [part, left ? `about ${duration(left)} left` : "", said].filter(Boolean).join(", ");
      return make("li", {}, title, bar, make("small", { textContent: more }));
    });
    const done = `${progress.done}${progress.planned ? ` of ${progress.planned}` : ""} steps are done.`;
    return [make("p", { className: "soft", textContent: `Running: ${done}` }), make("ul", { className: "steps" }, ...steps)];
  }

  // Shows what `draw` makes of an answer, unless another run or tab was asked for meanwhile.
  async fill(path, draw) {
    const inside = this.inside;
    inside.replaceChildren(make("p", { className: "soft", textContent: "\u2026" }));
    try {
      inside.replaceChildren(...draw(await get(path)));
    } catch (error) {
      inside.replaceChildren(make("p", { className: "soft", textContent: error.message }));
    }
  }

  facts() {
    const { record } = this.run;
    const list = make("dl");
    for (const field of this.fields.values()) {
      if (field.arm || APART.includes(field.name)) continue;
      const said = text(field, record[field.name]);
      if (said) list.append(make("dt", { textContent: field.title, title: field.meaning }), make("dd", { textContent: said }));
    }
    const noting = make("div", { id: "note" });
    note(noting, record, this.noted).catch(this.complain);
    const parts = [...this.standing(), list, noting];
    const changed = Object.entries(record.changed || {});
    if (changed.length) {
      const rows = changed.map(([name, value]) => make("tr", {}, make("td", { textContent: name }), make("td", { textContent: JSON.stringify(value) })));
      parts.push(make("h3", { textContent: "Differs from the base" }), make("table", { className: "keys" }, make("tbody", {}, ...rows)));
    }
    if (record.arms.length) {
      const fields = [...this.fields.values()].filter((field) => field.arm && !/_(low|high)$/.test(field.name));
      const kind = (field) => (field.kind === "text" ? "" : "num");
      const head = make("tr", {}, ...fields.map((field) => make("th", { textContent: field.title, className: kind(field), title: field.meaning })));
      const rows = record.arms.map((arm) => make("tr", {}, ...fields.map((field) => make("td", { className: kind(field) }, cell(field, arm)))));
      const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
      parts.push(make("h3", { textContent: "Arms" }), make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: "Arms" }, table));
    }
    const settings = make("pre", { textContent: JSON.stringify(record.settings, null, 1) });
    parts.push(make("details", {}, make("summary", { textContent: "All settings" }), settings));
    this.inside.replaceChildren(...parts);
  }

  curves() {
    this.fill(`api/curves/${this.run.record.id}`, ({ pictures, legend }) => {
      const names = legend.map(({ title, colour }) => {
        const dot = make("span", { className: "dot" });
        dot.style.background = colour;
        return make("span", {}, dot, title);
      });
      const shown = pictures.map(({ title, uri }) => make("figure", {}, make("h3", { textContent: title }), make("img", { className: "chart", src: uri, alt: `${title} by epoch` })));
      return [make("div", { className: "legend" }, ...names), make("div", { className: "pictures" }, ...shown)];
    });
  }

  samples() {
    this.fill(`api/samples/${this.run.record.id}`, ({ classes, verdict, reason, steps, frames }) => {
      const picture = make("img", { id: "sample" });
      const said = make("p", { className: "soft", id: "at" });
      const slider = make("input", { type: "range", id: "step", min: 0, max: steps.length - 1, value: steps.length - 1, ariaLabel: "Generator steps" });
      const move = () => {
        picture.src = frames[slider.value];
        picture.alt = `Samples after ${steps[slider.value]} steps`;
        said.textContent = `After ${steps[slider.value].toLocaleString("en")} generator steps. The noise is the same at every step.`;
      };
      slider.addEventListener("input", move);
      move();
      const names = make("ul", {}, ...classes.map((name) => make("li", { textContent: name })));
      picture.addEventListener("load", () => { names.style.height = `${picture.clientHeight}px`; });
      const good = verdict === "stable" ? "helps" : "hurts";
      const head = make("p", {}, make("span", { className: `pill ${good}`, textContent: verdict }), ` ${reason}`);
      return [head, said, slider, make("div", { id: "frame" }, names, picture)];
    });
  }

  cams() {
    const { record, cams } = this.run;
    const pick = (label, options) => {
      const made = make("select", { ariaLabel: label }, ...options.map((name) => make("option", { textContent: name })));
      return made;
    };
    const arm = pick("Arm", cams);
    const load = () => this.fill(`api/cams/${record.id}/${encodeURIComponent(arm.value)}`, (tiles) => {
      const classes = [...new Set(tiles.map((tile) => tile.class))];
      const one = pick("Class", ["all classes", ...classes]);
      const right = pick("Outcome", ["right and wrong", "right", "wrong"]);
      const grid = make("div", { className: "tiles" });
      const draw = () => {
        const wanted = tiles.filter((tile) => {
          const good = tile.class === tile.predicted;
          return (one.selectedIndex === 0 || tile.class === one.value) && (right.selectedIndex === 0 || good === (right.value === "right"));
        });
        grid.replaceChildren(...wanted.map((tile) => {
          const good = tile.class === tile.predicted;
          const sure = `${Math.round(100 * tile.confidence)}\u00a0%`;
          const caption = good ? `${tile.class}, ${sure}` : `${tile.class} \u2192 ${tile.predicted}, ${sure}`;
          return make("figure", { className: good ? "right" : "wrong" }, make("img", { src: tile.uri, alt: `Heat map: ${caption}` }), make("figcaption", { textContent: caption }));
        }));
      };
      for (const box of [one, right]) box.addEventListener("change", draw);
      draw();
      return [make("div", { className: "picks" }, arm, one, right), grid];
    });
    arm.addEventListener("change", load);
    load();
  }
}
