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
