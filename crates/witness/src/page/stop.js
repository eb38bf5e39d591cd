// Shows what a link stops, and posts it when the button is pressed. What stands behind "#" leaves this browser by that
// post alone: no server is told of it when the page is opened, and nothing happens then. docs/spec/link.md
"use strict";

const STOPS = { 1: "freeze", 2: "veto", 3: "cancel" };
const EXPIRED = "urn:portcullis:reason:203";

const main = document.querySelector("main");
const show = (id, is = true) => { document.getElementById(id).hidden = !is; };

function bytesOf(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// What the link stops, and the posting that does it; null where it is not whole.
function read(fragment) {
  if (!/^[A-Za-z0-9_-]+$/.test(fragment)) return null;
  const bytes = bytesOf(fragment);
  const type = STOPS[bytes[0]];
  const length = type === "freeze" ? 105 : 137;
  if (!type || bytes.length !== length) return null;
  const { genesis, herald } = main.dataset;
  const expires = Number(new DataView(bytes.buffer).getBigUint64(33));
  const act = {
    genesis,
    realm: "staff",
    principal: herald,
    account: hex(bytes.slice(1, 17)),
    id: hex(bytes.slice(17, 33)),
    checkpoint: genesis,
    expires,
    kind: type === "freeze" ? { type } : { type, act: hex(bytes.slice(41, 73)) },
  };
  return { type, expires, posting: { act, evidence: { link: base64url(bytes.slice(-64)) } } };
}

const when = (time) => new Date(time).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });

function shut(...all) {
  for (const id of all) show(id, false);
}

// A board answers a link that it has taken before with the time of then.
const AT_ONCE = 60_000;

function done(type, time) {
  shut(type, "until", "failed");
  if (Date.now() - time > AT_ONCE) return served(time);
  for (const item of document.querySelectorAll("#done [data-of]")) item.hidden = item.dataset.of !== type;
  document.querySelector("#done time").textContent = when(time);
  show("done");
  document.getElementById("done").focus();
}

function served(time) {
  document.querySelector("#served time").textContent = when(time);
  show("served");
}

function expired(type) {
  shut(type, "until", "failed");
  show("expired");
}

function failed(why) {
  document.getElementById("why").textContent = why;
  show("failed");
}

async function why(answer) {
  const wait = answer.headers.get("retry-after");
  if (wait) return `Too many people are stopping something at this moment. Wait for ${wait} seconds.`;
  const problem = await answer.json().catch(() => ({}));
  return `It was not taken: ${problem.detail ?? `answer ${answer.status}`}`;
}

async function post({ type, posting }) {
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(posting), referrerPolicy: "no-referrer" };
  const answer = await fetch("postings", request);
  if (answer.status === 201) return done(type, (await answer.json()).time);
  const problem = answer.status === 422 ? await answer.clone().json() : {};
  return problem.type === EXPIRED ? expired(type) : failed(await why(answer));
}

function ask(link) {
  const button = document.querySelector(`#${link.type} button`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    show("failed", false);
    await post(link).catch(() => failed("It could not be handed over: is this device on the internet?"));
    button.disabled = false;
  });
  document.querySelector("#until time").textContent = when(link.expires);
  show(link.type);
  show("until");
}

const SECTIONS = [...document.querySelectorAll("main > [id]")].map((section) => section.id);

// A link that is pasted over another changes only what stands behind "#".
function open() {
  shut(...SECTIONS);
  let link = null;
  try {
    link = read(location.hash.slice(1));
  } catch {
    // Not base64url, or no time.
  }
  if (link) ask(link);
  else show("broken");
}

addEventListener("hashchange", () => location.reload());
open();
