// What all of the page is made with: answers of the server, and elements.
export async function get(path) {
  const answer = await fetch(path);
  const content = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.error), { refused: answer.status < 500 });
  return content;
}

export function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// An element of a drawing.
export function draw(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Fills a list to choose one of; a name that it lacks, as an address may hold, is added as it is.
export function offer(select, chosen, groups) {
  const known = groups.some(({ fields }) => fields.some((field) => field.name === chosen));
  const more = chosen && !known ? [{ title: "From the address", fields: [{ name: chosen, title: chosen }] }] : [];
  const option = (field) => make("option", { value: field.name, textContent: field.title, selected: field.name === chosen });
  select.replaceChildren(...[...groups, ...more].filter(({ fields }) => fields.length).flatMap(({ title, fields }) => {
    const options = fields.map(option);
    return title ? [make("optgroup", { label: title }, ...options)] : options;
  }));
}
