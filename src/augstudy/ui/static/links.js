// Points and lines of a chart: each is a link to its run, for the mouse and for the keyboard.

// Of many links only one is in the order of Tab; arrows go to the others.
export function rove(links) {
  const go = (place) => {
    for (const link of links) link.setAttribute("tabindex", "-1");
    links[place].setAttribute("tabindex", "0");
    links[place].focus();
  };
  links.forEach((link, place) => {
    link.setAttribute("tabindex", place ? "-1" : "0");
    link.addEventListener("keydown", (event) => {
      const to = { ArrowRight: place + 1, ArrowUp: place + 1, ArrowLeft: place - 1, ArrowDown: place - 1, Home: 0, End: links.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      if (links[to]) go(to);
    });
  });
}

// A link of a drawing to a run, told when the mouse or the focus is on it.
export function linked(link, row, { name, open, tell, link: address }, fields, said) {
  link.setAttribute("href", address(row));
  link.setAttribute("aria-label", `${name(row)}: ${said}`);
  const over = (event) => tell(row, fields, { x: event.clientX, y: event.clientY });
  link.addEventListener("mousemove", over);
  link.addEventListener("mouseleave", () => tell(null));
  link.addEventListener("focus", () => {
    const box = link.getBoundingClientRect();
    if (link.matches(":focus-visible")) tell(row, fields, { x: box.right, y: box.top + box.height / 2 });
  });
  link.addEventListener("blur", () => tell(null));
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(row);
  });
  return link;
}
