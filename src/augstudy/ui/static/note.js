// The note on a run, which can be changed where the server allows it.
import { get, make } from "./dom.js";

let allowed = null;  // what a change must bring along; asked for once

async function editing() {
  allowed ??= await get("api/editing");
  return allowed;
}

// Fills `place` with a note and, where it may be changed, with a way to do so.
export async function note(place, record, changed) {
  const heading = () => make("h3", { textContent: "Note" });
  const said = () => (record.note ? [heading(), make("p", { className: "written", textContent: record.note })] : []);
  place.replaceChildren(...said());
  const { token, most } = await editing();
  if (!token) return;
  const show = (focus) => {
    const edit = make("button", { className: "plain", type: "button", textContent: record.note ? "Edit note" : "Add a note" });
    edit.addEventListener("click", write);
    place.replaceChildren(...said(), edit);
    if (focus) edit.focus();
  };
  const write = () => {
    const field = make("textarea", { value: record.note ?? "", rows: 4, maxLength: most, ariaLabel: `Note on run ${record.id}` });
    const save = make("button", { className: "button", type: "submit", textContent: "Save" });
    const cancel = make("button", { className: "plain", type: "button", textContent: "Cancel" });
    const trouble = make("p", { className: "trouble", role: "alert", hidden: true });
    const form = make("form", { className: "noting" }, field, trouble, make("div", { className: "picks" }, save, cancel));
    cancel.addEventListener("click", () => show(true));
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") show(true); });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      save.disabled = true;
      try {
        record.note = await put(record.id, field.value, token);
        show(true);
        changed();
      } catch (error) {
        trouble.textContent = error.message;
        trouble.hidden = false;
        save.disabled = false;
      }
    });
    place.replaceChildren(heading(), form);
    field.focus();
  };
  show(false);
}

async function put(id, text, token) {
  const headers = { "Content-Type": "application/json", "X-Augstudy-Token": token };
  const answer = await fetch(`api/note/${encodeURIComponent(id)}`, { method: "PUT", headers, body: JSON.stringify({ note: text }) }).catch(() => {
    throw new Error("The note was not saved: the server does not answer.");
  });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content.note;
}
