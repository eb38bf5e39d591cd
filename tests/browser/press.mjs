// Opens a page in Chromium as somebody would on a phone, says what is on it, presses its one button, and says what is on it then.
//
//   node press.mjs CHROMIUM URL [PICTURES]
//
// Prints a line of JSON: {"before": TEXT, "after": TEXT, "asked": [URL…], "errors": [TEXT…]}; `asked` are the requests
// that it made, without what stands behind "#". With PICTURES, it leaves before.png and after.png there. It speaks the
// DevTools protocol over a pipe, so it needs nothing but node.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [chromium, url, pictures] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "press-"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
  "--disable-background-networking", "--disable-dev-shm-usage", `--user-data-dir=${profile}`, "--remote-debugging-pipe"];
const browser = spawn(chromium, [...flags, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , to, from] = browser.stdio;

const waiting = new Map();
const asked = [];
const errors = [];
let number = 0;
let rest = "";

from.on("data", (bytes) => {
  const messages = (rest + bytes).split("\0");
  rest = messages.pop();
  for (const message of messages.map(JSON.parse)) take(message);
});

function take({ id, result, error, method, params }) {
  if (id) {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    return error ? reject(new Error(error.message)) : resolve(result);
  }
  if (method === "Network.requestWillBeSent") asked.push(`${params.request.method} ${params.request.url}`);
  if (method === "Runtime.exceptionThrown") errors.push(params.exceptionDetails.text);
  if (method === "Log.entryAdded") errors.push(params.entry.text);
}

function send(method, params = {}, sessionId) {
  number += 1;
  const sent = new Promise((resolve, reject) => waiting.set(number, { resolve, reject }));
  to.write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`);
  return sent;
}

const { targetInfos } = await send("Target.getTargets");
const { targetId } = targetInfos.find((target) => target.type === "page");
const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
const page = (method, params) => send(method, params, sessionId);
const run = async (expression) => (await page("Runtime.evaluate", { expression, awaitPromise: true })).result.value;

// Until the page says so: a frame at a time.
const until = (condition) => run(`new Promise((done) => {
  const look = () => (${condition}) ? done(true) : requestAnimationFrame(look);
  look();
})`);

async function picture(name) {
  if (!pictures) return;
  const { data } = await page("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
  writeFileSync(join(pictures, `${name}.png`), Buffer.from(data, "base64"));
}

for (const domain of ["Page", "Runtime", "Network", "Log"]) await page(`${domain}.enable`);
const phone = { width: 390, height: 844, deviceScaleFactor: 2, mobile: true };
await page("Emulation.setDeviceMetricsOverride", phone);
await page("Page.navigate", { url });
await until(`document.readyState === "complete" && document.querySelector("main > [id]:not([hidden])")`);
const before = await run("document.body.innerText");
await picture("before");

const button = `document.querySelector("main > section:not([hidden]) button")`;
if (await run(`Boolean(${button})`)) {
  await run(`${button}.click()`);
  await until(`["done", "failed", "expired", "served"].some((id) => !document.getElementById(id).hidden)`);
}
const after = await run("document.body.innerText");
await picture("after");

console.log(JSON.stringify({ before, after, asked, errors }));
browser.on("exit", () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
await send("Browser.close").catch(() => browser.kill());
