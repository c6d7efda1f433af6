// Scales of the charts: where ticks are, and what they say.
const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
export const NUMBERS = new Set(["integer", "number", "share", "points", "seconds"]);

// The distance of about `count` ticks over a range: 1, 2 or 5 times a power of ten.
function distance(range, count, kind) {
  const least = range / Math.max(1, count);
  const time = kind === "seconds" && least >= 1 ? TIMES.find((step) => step >= least) : 0;
  if (time) return time;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= least * 0.999999);
  return kind === "integer" ? Math.max(1, Math.round(step)) : step;
}

// A scale of numbers that begins and ends at a tick.
export function scale(values, kind, count) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (low === high) {
    const around = kind === "integer" ? 1 : Math.abs(low) * 0.1 || 1;
    [low, high] = [low - around, high + around];
    if (low < 0 && values[0] >= 0) low = 0;
  }
  const step = distance(high - low, count, kind);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const ticks = Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
  const [start, end] = [ticks[0], ticks[ticks.length - 1]];
  return { ticks, part: (value) => (value - start) / (end - start), says: (value) => label(value, step, kind) };
}

const fixed = (value, step) => {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (digits > 4 || Math.abs(value) >= 1e7) return value === 0 ? "0" : value.toExponential(1);
  const said = value.toFixed(digits);
  return (Number(said) === 0 ? said.replace("-", "") : said).replace("-", "\u2212");
};

function label(value, step, kind) {
  if (kind === "share") return `${fixed(100 * value, 100 * step)}\u00a0%`;
  if (kind === "points") return `${value > 0 && 1000 * value > step ? "+" : ""}${fixed(100 * value, 100 * step)}`;
  if (kind === "integer") return value.toLocaleString("en");
  if (kind === "seconds" && step >= 1) return clock(value);
  return fixed(value, step) + (kind === "seconds" ? "\u00a0s" : "");
}

function clock(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]].filter(([number]) => number);
  return parts.length ? parts.slice(0, 2).map(([number, unit]) => `${number}\u00a0${unit}`).join(" ") : "0";
}

// A scale of texts, one place for each from the top; numbers go up, and before texts.
export function places(values) {
  const number = (value) => (typeof value === "number" ? value : NaN);
  const known = [...new Set(values)].sort((one, other) => {
    const [a, b] = [number(one), number(other)];
    if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
    return Number.isNaN(a) - Number.isNaN(b) || String(one).localeCompare(String(other), "en", { numeric: true });
  });
  const last = Math.max(1, known.length - 1);
  const index = new Map(known.map((value, place) => [value, place]));
  const up = known.every((value) => typeof value === "number");
  const part = (value) => (up ? index.get(value) : last - index.get(value)) / last;
  return { ticks: known, part: (value) => (known.length === 1 ? 0.5 : part(value)), says: String };
}

// The axis that suits a column: of numbers, unless some value is none.
export function suiting(field, values, count) {
  return NUMBERS.has(field.kind) && values.every((value) => typeof value === "number") ? scale(values, field.kind, count) : places(values);
}

export function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}\u2026` : text;
}
