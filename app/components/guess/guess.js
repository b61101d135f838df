// The page of somebody who guesses: signals on a canvas, a brush over them, and what the server said.

const { first, names, values, address } = JSON.parse(document.getElementById("signal").textContent);
const [picture, form, said, start, stop, name] = ["picture", "form", "said", "start", "stop", "name"].map((id) => document.getElementById(id));
const rows = values[0].length;
const LEFT = 4, LEAST = 6; // px beside the plot; px that a touch must move to be a brush
let brush = null; // [from, to) positions
let held = null; // where the finger went down

/** Who this browser is to the room, so that a second guess replaces the first; known to this tab alone. */
function who() {
  const found = sessionStorage.getItem("amad-guess") ?? Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem("amad-guess", found);
  return found;
}

function colour(role) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${role})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const px = (at, width) => LEFT + (at / rows) * (width - 2 * LEFT);

function place(event) {
  const box = picture.getBoundingClientRect();
  return Math.min(Math.max(((event.clientX - box.left - LEFT) / (box.width - 2 * LEFT)) * rows, 0), rows);
}

function draw() {
  const width = picture.clientWidth, height = picture.clientHeight, ratio = window.devicePixelRatio || 1;
  picture.width = Math.round(width * ratio);
  picture.height = Math.round(height * ratio);
  const ctx = picture.getContext("2d");
  ctx.scale(ratio, ratio);
  const each = height / names.length;
  const colours = Object.fromEntries(["signal", "grey", "rule", "threshold"].map((role) => [role, colour(role)]));
  if (brush) {
    ctx.fillStyle = colours.threshold;
    ctx.globalAlpha = 0.2;
    ctx.fillRect(px(brush[0], width), 0, px(brush[1], width) - px(brush[0], width), height);
    ctx.globalAlpha = 1;
    for (const edge of brush) ctx.fillRect(px(edge, width) - 0.75, 0, 1.5, height);
  }
  ctx.font = "12px sans-serif";
  ctx.textBaseline = "top";
  names.forEach((title, panel) => {
    const known = values[panel].filter((value) => value !== null);
    const low = Math.min(...known), high = Math.max(...known);
    const top = panel * each + 18, room = each - 24;
    ctx.fillStyle = colours.rule;
    ctx.fillRect(0, (panel + 1) * each - 1, width, 1);
    ctx.strokeStyle = colours.signal;
    ctx.lineWidth = 1.4;
    ctx.beginPath();
    let pen = false;
    values[panel].forEach((value, at) => {
      if (value === null) { pen = false; return; }
      const y = top + room * (1 - (high > low ? (value - low) / (high - low) : 0.5));
      if (pen) ctx.lineTo(px(at + 0.5, width), y);
      else ctx.moveTo(px(at + 0.5, width), y);
      pen = true;
    });
    ctx.stroke();
    ctx.fillStyle = colours.grey;
    ctx.fillText(title, LEFT, panel * each + 3);
  });
}

/** The brush, from the hand or from the fields. */
function take(a, b, write = true) {
  const from = Math.floor(Math.min(a, b)), to = Math.min(Math.max(Math.ceil(Math.max(a, b)), from + 1), rows);
  brush = [Math.min(from, rows - 1), to];
  if (write) [start.value, stop.value] = [first + brush[0], first + brush[1] - 1];
  draw();
}

picture.addEventListener("pointerdown", (event) => {
  held = { x: event.clientX, at: place(event) };
  picture.setPointerCapture(event.pointerId);
});
picture.addEventListener("pointermove", (event) => {
  if (held && Math.abs(event.clientX - held.x) >= LEAST) take(held.at, place(event));
});
for (const ended of ["pointerup", "pointercancel"]) picture.addEventListener(ended, () => { held = null; });
for (const field of [start, stop]) {
  field.addEventListener("input", () => {
    const [a, b] = [start, stop].map((one) => one.valueAsNumber - first);
    if (a >= 0 && b >= a && b < rows) take(a, b + 1, false);
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!brush) { said.textContent = "Brush the picture first."; return; }
  const guess = { who: who(), name: name.value, start: brush[0], stop: brush[1] };
  try {
    const answer = await fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(guess) });
    const told = await answer.json();
    said.textContent = answer.ok ? `Sent: rows ${first + brush[0]} to ${first + brush[1] - 1}. ${told.count} ${told.count === 1 ? "guess" : "guesses"} so far.` : told.error;
  } catch {
    said.textContent = "The server does not answer. Try again.";
  }
});

new ResizeObserver(draw).observe(picture);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
