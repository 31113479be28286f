// What a page does by itself for who is signed in: lists that stay true, word of new messages, how far a file has got.
// Every page works without it. Its words stand in the attributes of what it acts on (templates/<language>/_web.txt).
"use strict";

const EVERY = 30_000;
const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

function made(name, text, marks = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(marks)) element.setAttribute(key, value);
  return element;
}

// What stands at an address now; null where that is not to be had.
async function fetched(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

// Look every half minute, and when somebody comes back to the page, until `look` says that it is enough.
function keepLooking(look) {
  let underWay = false;
  const timer = setInterval(now, EVERY);
  document.addEventListener("visibilitychange", now);
  async function now() {
    if (document.hidden || underWay) return;
    underWay = true;
    const enough = await look().catch(() => false); // no line for now
    underWay = false;
    if (!enough) return;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", now);
  }
}

// ---- lists that stay true, unless somebody stops them (WCAG 2.2.2) or is at them with the keyboard

function keepTrue(list) {
  const said = made("span", "", { role: "status", class: "small" });
  const button = made("button", list.dataset.stop, { type: "button", class: "link" });
  let stopped = false;
  button.addEventListener("click", () => {
    stopped = !stopped;
    button.textContent = stopped ? list.dataset.go : list.dataset.stop;
  });
  const line = made("p", "", { class: "small split" });
  line.append(said, button);
  list.after(line);
  keepLooking(async () => {
    if (stopped || list.contains(document.activeElement)) return false;
    const page = await fetched(location.href);
    const fresh = page && page.getElementById(list.id);
    if (!fresh) return page !== null; // signed out by now
    if (fresh.innerHTML !== list.innerHTML && !stopped && !list.contains(document.activeElement)) {
      list.replaceChildren(...document.importNode(fresh, true).childNodes);
      said.textContent = `${list.dataset.renewed} ${clock.format(new Date())}`;
    }
    return false;
  });
}

// ---- a conversation that went on: nothing moves under who reads or writes

function tellOfNews(conversation) {
  keepLooking(async () => {
    const page = await fetched(conversation.dataset.from);
    const fresh = page && page.getElementById(conversation.id);
    if (!fresh || fresh.dataset.newest === conversation.dataset.newest) return page !== null && !fresh;
    const line = made("p", "", { class: "note", role: "status" });
    const show = made("button", conversation.dataset.news, { type: "button", class: "link" });
    show.addEventListener("click", () => showNews(conversation, fresh, page));
    conversation.append(line);
    line.append(show);
    return true;
  });
}

// What was typed stays; the form says from now on that its writer has read this far.
function showNews(conversation, fresh, page) {
  const opened = "#answer [name=once]";
  conversation.replaceChildren(...document.importNode(fresh, true).childNodes);
  conversation.dataset.newest = fresh.dataset.newest;
  document.querySelector(opened).value = page.querySelector(opened).value;
  conversation.lastElementChild.tabIndex = -1;
  conversation.lastElementChild.focus();
  tellOfNews(conversation);
}

// ---- files on their way

function showProgress(form) {
  form.addEventListener("submit", (event) => {
    const files = [...form.querySelectorAll("input[type=file]")].some((input) => input.files.length);
    if (!files) return;
    event.preventDefault();
    send(form, form.querySelector("button:not([type=button])"));
  });
}

function send(form, button) {
  const bar = made("progress", "", { max: "100", value: "0", "aria-label": form.dataset.sending });
  const said = made("p", form.dataset.sending, { class: "small", role: "status" });
  const request = new XMLHttpRequest();
  const failed = () => {
    bar.remove();
    said.textContent = form.dataset.failed;
    button.disabled = false;
  };
  form.querySelectorAll("progress, [role=status]").forEach((old) => old.remove());
  button.disabled = true;
  button.after(bar, said);
  request.upload.addEventListener("progress", (sent) => {
    if (sent.lengthComputable) bar.value = (100 * sent.loaded) / sent.total;
  });
  request.addEventListener("error", failed);
  request.addEventListener("load", () => {
    if (request.status === 413) failed();
    else if (request.responseURL === form.action) form.submit(); // told as ever: the form was empty, or too old
    else location.assign(request.responseURL);
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
}

document.querySelectorAll("[data-renewed]").forEach(keepTrue);
document.querySelectorAll("[data-news]").forEach(tellOfNews);
document.querySelectorAll("form[data-sending]").forEach(showProgress);
