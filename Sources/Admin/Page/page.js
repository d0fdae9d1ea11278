"use strict";

// Everything that is shown goes in as text, never as markup.
const at = (root, name) => root.querySelector(`[data-at="${name}"]`);
const byID = id => document.getElementById(id);
const number = value => value.toLocaleString("en");
const APIS = {partnerCenter: "Partner Center", graph: "Microsoft Graph"};
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function element(name, className, ...content) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

function copy(template) { return byID(template).content.firstElementChild.cloneNode(true); }

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What stands between backticks is to be typed.
function prose(text) {
  return text.split("`").map((part, index) => index % 2 ? element("code", "", part) : part);
}

function time(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

// Lists are made anew only when they have changed, so that a person can mark and copy what is there.
const shown = new Map();
function list(id, items, make, none) {
  const text = JSON.stringify(items);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  byID(id).replaceChildren(...(items.length ? items.map(make) : none ? [element("li", "none muted", none)] : []));
}

// How many requests a second, a bar for each of the last sixty seconds.
function chart(figure, use) {
  const bars = figure.querySelector(".bars");
  if (!bars.childElementCount) {
    for (let index = 0; index < use.sent.length; index++) {
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      bar.setAttribute("x", index * 10 + 1);
      bar.setAttribute("width", 8);
      bars.append(bar);
    }
  }
  const allowed = use.limit ? use.limit.requests * 1000 / use.limit.perMs : 0;
  const top = Math.max(allowed * 1.25, Math.max(...use.sent) * 1.1, 1);
  use.sent.forEach((sent, index) => {
    const height = sent / top * 100;
    bars.children[index].setAttribute("height", height);
    bars.children[index].setAttribute("y", 100 - height);
  });
  const line = figure.querySelector("line");
  line.toggleAttribute("hidden", !use.limit);
  const level = 100 - allowed / top * 100;
  line.setAttribute("y1", level);
  line.setAttribute("y2", level);
  const label = at(figure, "limit");
  write(label, use.limit ? "limit" : "");
  label.style.top = `calc(${level}% + 0.15rem)`;
  const last = use.sent[use.sent.length - 1];
  figure.querySelector("svg").setAttribute(
    "aria-label", `${last} requests in the last second, at most ${Math.max(...use.sent)} in a second of the last minute`);
  if (!calm.matches) bars.animate({transform: ["translateX(10px)", "translateX(0)"]}, 1000);
}

function showUse(figure, use) {
  write(at(figure, "name"), APIS[use.api] ?? use.api);
  const notes = [];
  if (use.inFlight) notes.push(`${number(use.inFlight)} under way`);
  if (use.pausedMs !== null) notes.push(`paused by the API for ${time(use.pausedMs)}`);
  if (use.throttled) notes.push(`${number(use.throttled)} throttled`);
  if (use.failedRequests) notes.push(`${number(use.failedRequests)} tried again`);
  write(at(figure, "note"), notes.join(", "));
  const seconds = use.limit ? Math.max(1, Math.ceil(use.limit.perMs / 1000)) : 1;
  const used = use.sent.slice(-seconds).reduce((sum, sent) => sum + sent, 0);
  write(at(figure, "used"), number(used));
  const allowed = use.limit && Math.round(use.limit.requests * seconds * 1000 / use.limit.perMs);
  write(at(figure, "allowed"), `${use.limit ? `of ${number(allowed)} allowed ` : "requests, without limit, "}in `
    + (seconds === 1 ? "the last second" : `the last ${seconds} seconds`));
  chart(figure, use);
}

// A bar of parts, and what they mean.
function stack(card, name, parts) {
  const bar = at(card, name);
  const legend = at(card, `${name}-legend`);
  if (!bar.childElementCount) {
    for (const part of parts) {
      bar.append(element("span", `swatch-${part.colour}`));
      legend.append(element("li", `swatch-${part.colour}`));
    }
  }
  parts.forEach((part, index) => {
    bar.children[index].style.flexGrow = part.value;
    bar.children[index].classList.toggle("empty", !part.value);
    write(legend.children[index], `${part.name} ${part.text}`);
  });
}

const ROLES = {
  owner: ["accent", () => "owned by this pod"],
  shared: ["accent", () => "shared by all pods"],
  standby: ["", application => application.owner ? `owned by ${application.owner}` : "waiting for its owner token"],
  detached: ["bad", () => "not connected"],
};

function showApplication(card, application) {
  write(at(card, "id"), application.applicationId);
  const [colour, text] = ROLES[application.role];
  const role = at(card, "role");
  role.className = `chip ${colour}`;
  write(role, text(application));
  at(card, "paused").hidden = !application.paused;
  const {outcomes, meanMs} = application.lastMinute;
  const works = application.role === "owner" || application.role === "shared";
  write(at(card, "waiting"), application.waiting === null ? "?" : number(application.waiting));
  const pending = (application.waiting ?? 0) + application.inHand;
  const idle = works && !pending ? "–" : "?";
  write(at(card, "remaining"), application.remainingMs === null ? idle : time(application.remainingMs));
  write(at(card, "hand"), number(application.inHand));
  write(at(card, "ended"), number(Object.values(outcomes).reduce((sum, count) => sum + count)));
  const figures = at(card, "apis");
  for (const use of application.apis) {
    let figure = figures.querySelector(`[data-api="${CSS.escape(use.api)}"]`);
    if (!figure) {
      figure = copy("api");
      figure.dataset.api = use.api;
      figures.append(figure);
    }
    showUse(figure, use);
  }
  const count = (name, value, colour) => ({name, value, colour, text: number(value)});
  stack(card, "outcomes", [
    count("succeeded", outcomes.succeeded, "good"), count("failed", outcomes.failed, "bad"),
    count("rejected", outcomes.rejected, "warn"), count("expired", outcomes.expired, "calm"),
  ]);
  const mean = (name, value, colour) => ({name, value, colour, text: time(value)});
  stack(card, "times", [
    mean("in the queue", meanMs.queue, "calm"), mean("for the limit", meanMs.limit, "accent"),
    mean("at Microsoft", meanMs.api, "good"), mean("for retries and outages", meanMs.retry, "bad"),
  ]);
}

const cards = new Map();
function showApplications(applications) {
  for (const application of applications) {
    if (!cards.has(application.applicationId)) {
      cards.set(application.applicationId, copy("application"));
      byID("applications").append(cards.get(application.applicationId));
    }
    showApplication(cards.get(application.applicationId), application);
  }
}

function showFailure(failure) {
  const what = failure.command ?? "message";
  const ids = [["correlation", failure.correlationId], ["customer", failure.customerId],
    ["application", failure.applicationId], ["status", failure.status], ["code", failure.code]];
  return element("li", "",
    element("p", "", element("b", "", failure.category), `: ${what} ${failure.outcome} at `
      + new Date(failure.time).toLocaleTimeString("en-GB")),
    element("p", "", failure.message),
    element("p", "", element("strong", "", `For the ${failure.fixableBy}: `), failure.remedy),
    element("p", "ids", ids.filter(([, id]) => id !== null).map(([name, id]) => `${name} ${id}`).join(" · ")));
}

const QUEUES = {
  "consent.dead-letters": "failed or rejected commands", "consent.events.unclaimed": "events that nobody was bound for",
  "consent.unroutable": "commands of unknown applications",
};

function headline(status) {
  const errors = status.problems.filter(problem => problem.severity === "error").length;
  const count = status.problems.length;
  if (errors) return ["bad", `Something is wrong: ${count === 1 ? "one problem" : `${count} problems`}`];
  if (count) return ["warn", `Working, with ${count === 1 ? "one warning" : `${count} warnings`}`];
  const waiting = status.applications.reduce((sum, each) => sum + (each.waiting ?? 0) + each.inHand, 0);
  return ["good", waiting ? `All is well: ${number(waiting)} commands to do` : "All is well: nothing to do"];
}

function show(status) {
  document.body.classList.remove("stale");
  write(byID("pod"), `pod ${status.pod || "starting"} · version ${status.version} · up ${time(status.uptimeMs)}`);
  const state = byID("state");
  state.className = `chip ${status.ready ? "good" : "bad"}`;
  write(state, status.ready ? "ready" : "not ready");
  const [colour, text] = headline(status);
  byID("verdict").className = colour;
  write(byID("headline"), text);
  list("problems", status.problems, problem => element("li", problem.severity,
    element("p", "", element("b", "", problem.text)), element("p", "", ...prose(problem.remedy))));
  showApplications(status.applications);
  list("pods", status.pods, pod => element("li", "",
    element("span", "", element("b", "", pod.name), pod.isThisOne ? " (this one)" : ""),
    element("span", "muted", pod.owns.length ? pod.owns.join(", ") : "owns nothing")),
    "This pod hears of none: it is not connected.");
  list("queues", status.queues.filter(queue => QUEUES[queue.name]), queue => element("li", "",
    element("span", "", QUEUES[queue.name]), element("b", "", queue.messages === null ? "?" : number(queue.messages))));
  for (const id of ["breakers", "breakers-title"]) byID(id).hidden = !status.breakers.length;
  list("breakers", status.breakers, breaker => element("li", "", element("span", "", breaker.title),
    element("span", `chip ${breaker.isOpen ? "bad" : "good"}`, breaker.isOpen ? "open: requests wait" : "closed")));
  list("failures", status.failures, showFailure, "None since this pod started.");
}

let answered = null;
function showSilence() {
  document.body.classList.add("stale");
  const state = byID("state");
  state.className = "chip bad";
  write(state, "no answer");
  byID("verdict").className = "bad";
  write(byID("headline"), answered
    ? `This pod has not answered since ${answered.toLocaleTimeString("en-GB")}; below is what it said last`
    : "This pod does not answer");
  list("problems", [], () => {});
}

async function look() {
  try {
    const response = await fetch("status.json", {cache: "no-store", signal: AbortSignal.timeout(3000)});
    if (!response.ok) throw new Error(response.statusText);
    show(await response.json());
    answered = new Date();
  } catch (error) {
    console.warn("no status:", error.message);
    showSilence();
  }
}

// Nobody is watching a hidden page.
(async () => {
  while (true) {
    if (!document.hidden) await look();
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
})();
