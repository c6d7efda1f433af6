// The page: its state lives in the address, so Back, reload and a copied link all work.
import { get, make } from "./dom.js";
import { Table } from "./table.js";
import { Details } from "./details.js";

let usual = [];  // columns that the server shows unless others are chosen
const MOST = 8;
const by = (id) => document.getElementById(id);

function read() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const list = (name) => (hash.get(name) || "").split(",").filter(Boolean);
  return {
    sort: hash.get("sort") ?? "",
    where: hash.get("where") ?? "",
    search: hash.get("search") ?? "",
    open: hash.get("open") ?? "",
    tab: hash.get("tab") ?? "",
    columns: list("columns"),
    ticks: new Set(list("ticks")),
  };
}

const state = read();

function keep() {
  const hash = new URLSearchParams();
  for (const name of ["sort", "where", "search", "open", "tab"]) if (state[name]) hash.set(name, state[name]);
  if (state.columns.join() !== usual.join()) hash.set("columns", state.columns.join());
  if (state.ticks.size) hash.set("ticks", [...state.ticks].join());
  history.replaceState(null, "", `#${hash}`);
}

function complain(error) {
  by("problem").textContent = error ? error.message : "";
  by("problem").hidden = !error;
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

const details = new Details(by("details"), state, () => { keep(); table.draw(); }, complain);
const table = new Table({
  scroller: by("scroller"),
  heads: by("heads"),
  body: by("rows"),
  count: by("count"),
  state,
  complain,
  changed: (reload) => { keep(); showTicks(); if (reload) table.load(); },
  open: (row) => { state.open = String(row.id); keep(); details.show(); table.draw(); },
});

function later(action) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(action, 180); };
}

function choose(fields) {
  for (const field of fields) {
    const box = make("input", { type: "checkbox", checked: state.columns.includes(field.name) });
    box.addEventListener("change", () => {
      const wanted = new Set(state.columns);
      if (box.checked) wanted.add(field.name); else wanted.delete(field.name);
      state.columns = fields.map((item) => item.name).filter((name) => wanted.has(name));
      if (!state.columns.length) { state.columns = ["id"]; }
      keep();
      table.head();
      table.draw();
    });
    by("choices").append(make("label", { title: field.meaning }, box, field.title));
  }
}

async function start() {
  const fields = await get("api/fields");
  usual = fields.filter((field) => field.usual !== null).sort((one, other) => one.usual - other.usual).map((field) => field.name);
  if (!state.columns.length) state.columns = usual;
  for (const name of ["search", "where"]) {
    by(name).value = state[name];
    by(name).addEventListener("input", later(() => { state[name] = by(name).value; keep(); table.load(); }));
  }
  by("untick").addEventListener("click", () => { state.ticks.clear(); keep(); showTicks(); table.draw(); });
  window.addEventListener("hashchange", () => location.reload());
  choose(fields);
  table.fields = new Map(fields.map((field) => [field.name, field]));
  details.fields = table.fields;
  table.head();
  showTicks();
  await table.load();
  if (state.open) details.show();
}

start().catch(complain);
