// A menu of boxes to tick, one for each column; it stays in the window and closes with Escape.
import { make } from "./dom.js";

export class Choices {
  constructor(menu, changed) {
    Object.assign(this, { menu, changed, place: menu.querySelector(".choices") });
    for (const kind of ["click", "keydown"]) document.addEventListener(kind, (event) => this.close(event));
  }

  fill(fields, chosen) {
    this.place.replaceChildren(...fields.map((field) => {
      const box = make("input", { type: "checkbox", name: field.name, checked: chosen.includes(field.name) });
      box.addEventListener("change", () => {
        const ticked = new Set([...this.place.querySelectorAll("input:checked")].map((item) => item.name));
        this.changed(fields.map((item) => item.name).filter((name) => ticked.has(name)));
      });
      return make("label", { title: field.meaning ?? field.name }, box, field.title);
    }));
  }

  tick(chosen) {
    for (const box of this.place.querySelectorAll("input")) box.checked = chosen.includes(box.name);
  }

  close(event) {
    if (!this.menu.open) return;
    if (event.type === "keydown" ? event.key === "Escape" : !this.menu.contains(event.target)) {
      this.menu.open = false;
      if (event.type === "keydown") this.menu.querySelector("summary").focus();
    }
  }
}
