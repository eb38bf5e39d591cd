// Chromium with one page, driven over the DevTools protocol through a pipe: it needs nothing but node.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
  "--disable-background-networking", "--disable-dev-shm-usage", "--remote-debugging-pipe"];

/**
 * Starts it on a blank page of a size, such as a phone's. `asked` are the requests that the page makes, without what stands
 * behind "#"; `errors` what it throws or logs as an error.
 */
export async function open(chromium, { width, height, deviceScaleFactor = 1, mobile = false }) {
  const profile = mkdtempSync(join(tmpdir(), "press-"));
  const browser = spawn(chromium, [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [, , , to, from] = browser.stdio;
  const waiting = new Map();
  const asked = [];
  const errors = [];
  let number = 0;
  let rest = "";

  from.setEncoding("utf8").on("data", (text) => {
    const messages = (rest + text).split("\0");
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
    if (method === "Runtime.exceptionThrown") errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Log.entryAdded" && params.entry.level === "error") errors.push(params.entry.text);
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
  const size = (metrics) => page("Emulation.setDeviceMetricsOverride", metrics);

  async function run(expression) {
    const { result, exceptionDetails } = await page("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  // Until the page says so: a frame at a time.
  const until = (condition) => run(`new Promise((done) => {
    const look = () => (${condition}) ? done(true) : requestAnimationFrame(look);
    look();
  })`);

  /** Leaves NAME.png in a folder, where there is one. */
  async function picture(folder, name) {
    if (!folder) return;
    const { data } = await page("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    writeFileSync(join(folder, `${name}.png`), Buffer.from(data, "base64"));
  }

  async function close() {
    const ended = new Promise((resolve) => browser.on("exit", resolve));
    await send("Browser.close").catch(() => browser.kill());
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }

  for (const domain of ["Page", "Runtime", "Network", "Log"]) await page(`${domain}.enable`);
  await size({ width, height, deviceScaleFactor, mobile });
  return { page, run, until, picture, size, close, asked, errors };
}
