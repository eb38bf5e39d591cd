// Opens a page in Chromium as somebody would on a phone, says what is on it, presses its one button, and says what is on it then.
//
//   node press.mjs CHROMIUM URL [PICTURES]
//
// Prints a line of JSON: {"before": TEXT, "after": TEXT, "asked": [URL…], "errors": [TEXT…]}; `asked` are the requests
// that it made, without what stands behind "#". With PICTURES, it leaves before.png and after.png there.

import { open } from "./chromium.mjs";

const [chromium, url, pictures] = process.argv.slice(2);
const phone = { width: 390, height: 844, deviceScaleFactor: 2, mobile: true };
const { page, run, until, picture, close, asked, errors } = await open(chromium, phone);

await page("Page.navigate", { url });
await until(`document.readyState === "complete" && document.querySelector("main > [id]:not([hidden])")`);
const before = await run("document.body.innerText");
await picture(pictures, "before");

const button = `document.querySelector("main > section:not([hidden]) button")`;
if (await run(`Boolean(${button})`)) {
  await run(`${button}.click()`);
  await until(`["done", "failed", "expired", "served"].some((id) => !document.getElementById(id).hidden)`);
}
const after = await run("document.body.innerText");
await picture(pictures, "after");

console.log(JSON.stringify({ before, after, asked, errors }));
await close();
