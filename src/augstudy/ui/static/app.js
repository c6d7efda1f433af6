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

function keep(step = false) {
  const hash = new URLSearchParams();
  for (const name of ["sort", "where", "search", "open", "tab"]) if (state[name]) hash.set(name, state[name]);
  if (state.columns.join() !== usual.join()) hash.set("columns", state.columns.join());
  if (state.ticks.size) hash.set("ticks", [...state.ticks].join());
  if (step) history.pushState(null, "", `#${hash}`);
  else history.replaceState(null, "", `#${hash}`);
}

// Back and Forward, and addresses that are typed: show what the address says.
function follow() {
  const before = { ...state };
  Object.assign(state, read());
  if (!state.columns.length) state.columns = usual;
  for (const name of ["search", "where"]) by(name).value = state[name];
  for (const box of by("choices").querySelectorAll("input")) box.checked = state.columns.includes(box.name);
  table.head();
  showTicks();
  if (["search", "where", "sort"].some((name) => state[name] !== before[name])) table.load();
  else table.draw();
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
  by("scroller").hidden = total === 0;
  if (total > 0) return;
  if (all === 0) {
    place.replaceChildren("There are no runs yet. Start one with ", make("code", { textContent: "augstudy run" }), ": it will appear here.");
    return;
  }
  const clear = make("button", { className: "plain", type: "button", textContent: "Clear search and filter" });
  clear.addEventListener("click", () => {
    for (const name of ["search", "where"]) by(name).value = state[name] = "";
    keep();
    table.load();
    by("search").focus();
  });
  place.replaceChildren("No run matches. ", clear);
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
  found,
  changed: (reload) => { keep(); showTicks(); if (reload) table.load(); },
  open: (row) => { state.open = String(row.id); keep(true); details.show(); table.draw(); },
});

function later(action) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(action, 180); };
}

function choose(fields) {
  for (const field of fields) {
    const box = make("input", { type: "checkbox", name: field.name, checked: state.columns.includes(field.name) });
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

function closeChoices(event) {
  const menu = by("chooser");
  if (!menu.open) return;
  if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) {
    menu.open = false;
    if (event.type === "keydown") menu.querySelector("summary").focus();
  }
}

// Runs that go on change: look often while there are any, and now and then for new ones.
async function watch() {
  for (;;) {
    const before = table.running;
    await new Promise((resume) => { setTimeout(resume, before ? 3000 : 15000); });
    if (document.hidden) continue;
    try {
      await table.refresh();
      if (state.open && (before || table.running)) await details.refresh();
    } catch { /* the server may be back at the next look */ }
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
  window.addEventListener("popstate", follow);
  for (const kind of ["click", "keydown"]) document.addEventListener(kind, closeChoices);
  choose(fields);
  table.fields = new Map(fields.map((field) => [field.name, field]));
  details.fields = table.fields;
  table.head();
  showTicks();
  await table.load();
  if (state.open) details.show();
  watch();
}

start().catch(complain);
