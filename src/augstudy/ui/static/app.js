// The page: its state lives in the address, so Back, reload and a copied link all work.
import { Charts } from "./charts.js";
import { Choices } from "./choices.js";
import { Details } from "./details.js";
import { get, make, offer } from "./dom.js";
import { Table } from "./table.js";

let usual = [];  // columns that the server shows unless others are chosen
const MOST = 8;
const TEXTS = ["sort", "where", "search", "group", "open", "tab", "view", "x", "y", "colour", "only"];
const by = (id) => document.getElementById(id);

function read() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const list = (name) => (hash.get(name) || "").split(",").filter(Boolean);
  return {
    ...Object.fromEntries(TEXTS.map((name) => [name, hash.get(name) ?? ""])),
    columns: list("columns"),
    axes: list("axes"),
    ticks: new Set(list("ticks")),
  };
}

const state = read();

// The address of what is shown, with some of it changed.
function address(changes = {}) {
  const hash = new URLSearchParams();
  const shown = { ...state, ...changes };
  for (const name of TEXTS) if (shown[name]) hash.set(name, shown[name]);
  if (shown.columns.join() !== usual.join()) hash.set("columns", shown.columns.join());
  if (shown.axes.length) hash.set("axes", shown.axes.join());
  if (shown.ticks.size) hash.set("ticks", [...shown.ticks].join());
  return `#${hash}`;
}

function keep(step = false) {
  if (step) history.pushState(null, "", address());
  else history.replaceState(null, "", address());
  showViews();
}

// Back and Forward, and addresses that are typed: show what the address says.
function follow() {
  const before = { ...state };
  Object.assign(state, read());
  if (!state.columns.length) state.columns = usual;
  for (const name of ["search", "where"]) by(name).value = state[name];
  columns.tick(state.columns);
  showGroups();
  table.head();
  showTicks();
  showViews();
  if (["search", "where", "sort", "group"].some((name) => state[name] !== before[name])) table.load();
  else table.draw();
  charts.load();
  if (state.open) details.show(); else details.hide();
}

function complain(error) {
  by("problem").textContent = error ? error.message : "";
  by("problem").hidden = !error;
}

// Says why the table is empty, and how to fill it.
function found({ all, total }) {
  const place = by("nothing");
  place.hidden = total > 0;
  by("scroller").hidden = total === 0 || state.view === "charts";
  by("charts").hidden = total === 0 || state.view !== "charts";
  if (total > 0) return;
  if (all === 0) {
    place.replaceChildren("There are no runs yet. Start one with ", make("code", { textContent: "augstudy run" }), ": it will appear here.");
    return;
  }
  const clear = make("button", { className: "plain", type: "button", textContent: "Clear search and filter" });
  clear.addEventListener("click", () => {
    for (const name of ["search", "where"]) by(name).value = state[name] = "";
    keep();
    reload();
    by("search").focus();
  });
  place.replaceChildren("No run matches. ", clear);
}

function reload() {
  charts.load();
  return table.load();
}

function showTicks() {
  const chosen = [...state.ticks];
  const enough = chosen.length > 1 && chosen.length <= MOST;
  by("compare").hidden = chosen.length === 0;
  by("untick").hidden = chosen.length === 0;
  by("compare").textContent = chosen.length < 2 ? "Tick one more to compare" : chosen.length > MOST ? `At most ${MOST}` : `Compare ${chosen.length}`;
  if (enough) by("compare").href = `compare?arms=${encodeURIComponent(chosen.join(","))}`;
  else by("compare").removeAttribute("href");
}

function showGroups() {
  const fields = [...table.fields.values()];
  offer(by("group"), state.group, [
    { fields: [{ name: "", title: "nothing" }] },
    { title: "Columns", fields: fields.filter((field) => field.groups) },
    { title: "Settings that differ", fields: table.settings },
  ]);
}

// Table or charts: links, so that either can be opened in another tab.
function showViews() {
  for (const link of by("views").children) {
    const shown = link.dataset.view === state.view;
    link.href = address({ view: link.dataset.view });
    if (shown) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  const charted = state.view === "charts";
  if (by("nothing").hidden) [by("scroller").hidden, by("charts").hidden] = [charted, !charted];
  by("grouping").hidden = by("chooser").hidden = charted;
}

function open(id) {
  state.open = String(id);
  keep(true);
  details.show();
  table.draw();
}

const details = new Details(by("details"), state, () => { keep(); table.draw(); }, complain, () => table.refresh().catch(complain));
const table = new Table({
  scroller: by("scroller"),
  heads: by("heads"),
  body: by("rows"),
  count: by("count"),
  state,
  complain,
  found,
  changed: (again) => { keep(); showTicks(); if (again) table.load(); },
  open: (row) => open(row.id),
});
const charts = new Charts({ place: by("charts"), state, address, complain, changed: () => { keep(true); charts.load(); }, open });
const columns = new Choices(by("chooser"), (names) => {
  state.columns = names.length ? names : ["id"];
  keep();
  table.head();
  table.draw();
});

function later(action) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(action, 180); };
}

// Runs that go on change: look often while there are any, and now and then for new ones.
async function watch() {
  for (;;) {
    const before = table.running;
    await new Promise((resume) => { setTimeout(resume, before ? 3000 : 15000); });
    if (document.hidden) continue;
    try {
      await table.refresh();
      await charts.refresh();
      if (state.open && (before || table.running)) await details.refresh();
    } catch { /* the server may be back at the next look */ }
  }
}

async function start() {
  const [fields, settings] = await Promise.all([get("api/fields"), get("api/settings")]);
  usual = fields.filter((field) => field.usual !== null).sort((one, other) => one.usual - other.usual).map((field) => field.name);
  if (!state.columns.length) state.columns = usual;
  for (const name of ["search", "where"]) {
    by(name).value = state[name];
    by(name).addEventListener("input", later(() => { state[name] = by(name).value; keep(); reload(); }));
  }
  by("untick").addEventListener("click", () => { state.ticks.clear(); state.only = ""; keep(); showTicks(); table.draw(); charts.load(); });
  by("group").addEventListener("change", () => { state.group = by("group").value; keep(true); table.load(); });
  window.addEventListener("popstate", follow);
  columns.fill(fields, state.columns);
  table.fields = new Map(fields.map((field) => [field.name, field]));
  table.settings = settings;
  details.fields = table.fields;
  charts.know(fields, settings);
  showGroups();
  table.head();
  showTicks();
  showViews();
  await reload();
  if (state.open) details.show();
  watch();
}

start().catch(complain);
