// A customer at the sample exchange, in a real Chromium with an authenticator of Chromium's own: opens an account, adds an
// address, withdraws, sees the hold, freezes, unfreezes, is paid, asks for more than goes out unseen, and takes that back.
//
//   node customer.mjs CHROMIUM URL ADDRESS [PICTURES]
//
// Prints a line of JSON: what the page said at each step, the acts, the requests that it made, and its errors.

import { open } from "../../tests/browser/chromium.mjs";

const [chromium, url, address, pictures] = process.argv.slice(2);
const desk = { width: 1180, height: 900, deviceScaleFactor: 1, mobile: false };
const { page, run, until, picture, size, close, asked, errors } = await open(chromium, desk);
const said = {};

await page("WebAuthn.enable");
await page("WebAuthn.addVirtualAuthenticator", {
  options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
});

const at = (id) => `document.getElementById(${JSON.stringify(id)})`;
const seen = (id) => until(`${at(id)} && ${at(id)}.checkVisibility()`);
const text = (id) => run(`${at(id)}.innerText`);
const press = (id) => run(`${at(id)}.click()`);
const first = "#withdrawals > li:first-child";
const line = () => run(`document.querySelector(${JSON.stringify(first)}).innerText`);
const lineSays = (words) => until(`document.querySelector(${JSON.stringify(first)})?.innerText.includes(${JSON.stringify(words)})`);

async function look(name) {
  said[name] = await run("document.querySelector('main').innerText");
  await picture(pictures, name);
}

// As hands do it: a click into the field, then the keys.
async function type(id, words) {
  await run(`${at(id)}.focus()`);
  await page("Input.insertText", { text: words });
}

const submit = (id) => run(`document.querySelector("#${id} button").click()`);

/** Reads what is asked for, and signs. */
async function sign(name) {
  await until(`${at("review")}.open`);
  said[name] = await text("review");
  await picture(pictures, name);
  await press("sign");
  await until(`!${at("review")}.open`);
}

await page("Page.navigate", { url });
await seen("welcome");
await look("01-welcome");
await type("name", "Ada");
await submit("sign-up");
await seen("enrol");
await look("02-passkey");
await press("create");
await until(`${at("soon")}.checkVisibility() && ${at("soon-when")}.innerText.includes("counts")`);
await look("03-soon");

await seen("account");
await type("address", address);
await submit("add-address");
await sign("04-add-address");
await until(`${at("addresses")}.innerText.match(/address is ready (today|\\w+day)/)`);
await look("05-address");

await type("amount", "0.05");
await submit("withdraw");
await sign("06-withdraw");
await lineSays("until");
await look("07-held");

await press("freeze");
await sign("08-freeze");
await seen("frozen");
await lineSays("account is frozen");
await look("09-frozen");

await press("unfreeze");
await sign("10-unfreeze");
await until(`!${at("frozen")}.checkVisibility()`);
// Whoever froze the account may have been somebody else than who asked for this: it takes the passkey once more.
await lineSays("Sign it again");
await look("11-needs-passkey-again");
await run(`document.querySelector(${JSON.stringify(`${first} .primary`)}).click()`);
await sign("12-sign-again");
await lineSays("Arrived");
await look("13-arrived");

await type("amount", "12");
await submit("withdraw");
await seen("problem");
await look("14-too-much");
await run(`${at("amount")}.value = ""`);

await type("amount", "2");
await submit("withdraw");
await sign("15-withdraw-more");
await lineSays("looks at amounts");
await look("16-held-for-approval");
await size({ width: 390, height: 844, deviceScaleFactor: 2, mobile: true });
await picture(pictures, "17-phone");
await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "dark" }] });
await picture(pictures, "18-phone-dark");
await size(desk);
await picture(pictures, "19-dark");
await page("Emulation.setEmulatedMedia", { features: [] });

await run(`document.querySelector(${JSON.stringify(`${first} button`)}).click()`);
await sign("20-cancel");
await lineSays("back in your balance");
await look("21-cancelled");

const acts = await run(`Array.from(document.querySelectorAll("#withdrawals > li"), (line) => line.id.slice(2))`);
// What somebody who sees nothing is told: each field and button has a name, and there is one heading above all.
const unnamed = await run(`Array.from(document.querySelectorAll("input, select, button"))
  .filter((it) => !(it.innerText || it.labels?.length)).map((it) => it.outerHTML)`);
const headings = await run(`Array.from(document.querySelectorAll("h1")).filter((it) => it.checkVisibility()).length`);
console.log(JSON.stringify({ said, acts, asked: [...new Set(asked)], errors, unnamed, headings }));
await close();
