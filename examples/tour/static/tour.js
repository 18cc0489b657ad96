"use strict";

const REQUESTS = 20;
const find = (selector) => document.querySelector(selector);
const seconds = (value) => `${value.toFixed(2)} s`;

async function json(path, options) {
  const response = await fetch(path, options);
  if (!response.ok) throw new Error(`${response.status} for ${path}`);
  return response.json();
}

// What stands before the colon is emphasised, and coloured by whether it went well.
function verdict(element, good, claim, rest) {
  const strong = document.createElement("span");
  strong.className = good ? "good" : "bad";
  strong.textContent = claim;
  element.replaceChildren(strong, rest ? `: ${rest}` : "");
  if (!good) throw new Error(claim);
}

// -- which server ---------------------------------------------------------------------------------------------

async function showServer() {
  const response = await fetch("server");
  const { protocol, python } = await response.json();
  const bold = (text) => Object.assign(document.createElement("b"), { textContent: text });
  const server = response.headers.get("server") || "a server without a name";
  find("#server").replaceChildren("This page comes from ", bold(server), " over ", bold(protocol), `, on ${python}.`);
}

// -- many requests at once ------------------------------------------------------------------------------------

async function sendMany(kind) {
  const figure = find(`#lanes-${kind}`);
  const caption = figure.querySelector("figcaption");
  caption.textContent = "waiting …";
  figure.querySelectorAll(".lanes, .threads").forEach((element) => element.replaceChildren());
  const numbers = Array.from({ length: REQUESTS }, (_, index) => index + 1);
  const seen = await Promise.all(numbers.map((number) => json(`wait/${kind}?number=${number}`)));

  const own = numbers.filter((number, index) => seen[index].request === number && seen[index].g === number).length;
  const began = Math.min(...seen.map((one) => one.began));
  const took = Math.max(...seen.map((one) => one.ended)) - began;
  drawLanes(figure, seen, began, took);
  const pause = Number(document.body.dataset.pause);
  verdict(
    caption, own === REQUESTS, `${own} of ${REQUESTS} saw their own request and g`,
    `up to ${mostAtOnce(seen)} at once, ${seconds(took)} instead of ${seconds(REQUESTS * pause)} one by one`,
  );
}

function mostAtOnce(seen) {
  return Math.max(...seen.map((one) => seen.filter((other) => other.began <= one.began && one.began < other.ended).length));
}

function drawLanes(figure, seen, began, took) {
  const threads = [...new Set(seen.map((one) => one.view_thread))].sort();
  const colour = (thread) => `hsl(${(200 + threads.indexOf(thread) * 137.5) % 360} 55% 52%)`;
  const ordered = [...seen].sort((one, other) => one.began - other.began);
  figure.querySelector(".lanes").replaceChildren(...ordered.map((one, index) => {
    const bar = document.createElement("span");
    bar.title = `request ${one.request}: the hook on ${one.hook_thread}, the view on ${one.view_thread}`;
    bar.style.setProperty("--thread", colour(one.view_thread));
    bar.style.left = `${((one.began - began) / took) * 100}%`;
    bar.style.width = `${((one.ended - one.began) / took) * 100}%`;
    bar.style.top = `${(index / seen.length) * 100 + 0.7}%`;
    return bar;
  }));
  figure.querySelector(".threads").replaceChildren(...threads.map((thread) => {
    const item = Object.assign(document.createElement("li"), { textContent: thread });
    item.style.setProperty("--thread", colour(thread));
    return item;
  }));
}

// -- session and upload ---------------------------------------------------------------------------------------

async function count(method = "POST") {
  const answer = await json("count", { method });
  find("#session output").textContent = answer.count;
}

async function upload(bytes) {
  const output = find("#upload output");
  output.textContent = "sending …";
  const began = performance.now();
  const answer = await json("upload", { method: "POST", body: bytes });
  const took = (performance.now() - began) / 1000;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const ours = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  verdict(
    output, answer.sha256 === ours, answer.sha256 === ours ? "The hashes agree" : "The hashes differ",
    `${answer.size.toLocaleString("en")} bytes in ${seconds(took)}, never more than ` +
      `${answer.largest_chunk.toLocaleString("en")} of them at a time. sha256 ${answer.sha256}`,
  );
}

function randomBytes(size) {
  const bytes = new Uint8Array(size);
  for (let start = 0; start < size; start += 65536) {
    crypto.getRandomValues(bytes.subarray(start, start + 65536));
  }
  return bytes;
}

// -- live streams ---------------------------------------------------------------------------------------------

let stopping = new AbortController();

async function streamBoth() {
  stopping = new AbortController();
  find("#stop").disabled = false;
  try {
    const before = await json("streams");
    const stopped = await Promise.all(["def", "async"].map((kind) => stream(kind, stopping.signal)));
    if (stopped.some(Boolean)) await showClosed(before);
  } finally {
    find("#stop").disabled = true;
  }
}

// Show the lines as they come; tell whether the stream was stopped.
async function stream(kind, signal) {
  const caption = find(`#stream-${kind} figcaption`);
  const live = find(`#stream-${kind} .live`);
  live.textContent = "";
  caption.textContent = "waiting …";
  const began = performance.now();
  const arrivals = [];
  try {
    const response = await fetch(`stream/${kind}?name=${kind}`, { signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      arrivals.push((performance.now() - began) / 1000);
      live.append(part.value);
      live.scrollTop = live.scrollHeight;
      caption.textContent = `${arrivals.length} parts so far`;
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    caption.textContent = `stopped after ${arrivals.length} parts`;
    return true;
  }
  const asTheyCame = arrivals.length > 2 && arrivals[0] < arrivals.at(-1) / 2;
  verdict(
    caption, asTheyCame, asTheyCame ? "Shown as it came" : "It came all at once",
    `${arrivals.length} parts, the first after ${seconds(arrivals[0])}, the last after ${seconds(arrivals.at(-1))}`,
  );
  return false;
}

async function showClosed(before) {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const now = await json("streams");
    if (now.left >= before.left + 2) {
      for (const kind of ["def", "async"]) find(`#stream-${kind} figcaption`).append("; the server has closed the generator");
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

// -- the page -------------------------------------------------------------------------------------------------

const demos = {
  async concurrency() {
    await sendMany("def");
    await sendMany("async");
  },
  session: () => count(),
  upload: () => upload(randomBytes(8_000_000)),
  stream: streamBoth,
};

async function run(name, action = demos[name]) {
  const section = document.getElementById(name);
  const button = section.querySelector("button");
  section.dataset.state = "running";
  button.disabled = true;
  try {
    await action();
    section.dataset.state = "ok";
  } catch (error) {
    section.dataset.state = "failed";
    console.error(name, error);
  } finally {
    button.disabled = false;
  }
}

for (const name of Object.keys(demos)) {
  document.querySelector(`#${name} button`).addEventListener("click", () => run(name));
}
find("#forget").addEventListener("click", () => run("session", () => count("DELETE")));
find("#stop").addEventListener("click", () => stopping.abort());
find("#file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) run("upload", async () => upload(new Uint8Array(await file.arrayBuffer())));
});
find("#run-all").addEventListener("click", async (event) => {
  event.target.disabled = true;
  for (const name of Object.keys(demos)) await run(name);
  event.target.disabled = false;
});

// The words that matter in the views' source.
const words = /^( *@.*)$|"[^"]*"|\b(async|await|def|yield|return|with|while|for|in)\b/gm;
for (const code of document.querySelectorAll(".code")) {
  code.innerHTML = code.innerHTML.replace(words, (all, decorator, word) =>
    decorator ? `<i>${all}</i>` : word ? `<b>${all}</b>` : all);
}

showServer();
