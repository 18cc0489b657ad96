"use strict";

const main = document.querySelector("main");
const said = document.querySelector("#said");
const form = document.querySelector("#say");
const state = document.querySelector("#state");
const url = new URL(main.dataset.socket, location.href);
url.protocol = url.protocol.replace("http", "ws");

let socket;
let wait = 500;

function connect() {
  socket = new WebSocket(url);
  socket.onopen = () => {
    wait = 500;
    said.replaceChildren();
    show(true, "");
  };
  socket.onmessage = (event) => add(JSON.parse(event.data));
  socket.onclose = (event) => {
    show(false, event.reason || "The connection is lost. Connecting again …");
    setTimeout(connect, wait);
    wait = Math.min(2 * wait, 10000);
  };
}

function show(connected, text) {
  for (const element of form.elements) element.disabled = !connected;
  if (connected) form.elements.text.focus();
  state.textContent = text;
}

function add(message) {
  const item = document.createElement("li");
  item.className = message.kind;
  if (message.kind === "said") {
    item.classList.toggle("mine", message.name === main.dataset.me);
    const name = document.createElement("b");
    name.textContent = message.name;
    const time = document.createElement("time");
    time.textContent = new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const text = document.createElement("p");
    text.textContent = message.text;
    item.append(name, time, text);
  } else {
    item.textContent = `${message.name} ${message.kind === "in" ? "has come in" : "has left"}`;
    document.querySelector("#names").textContent = message.names.join(", ");
  }
  said.append(item);
  item.scrollIntoView({ block: "end" });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(form.elements.text.value);
  form.reset();
});

connect();
