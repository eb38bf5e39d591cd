// The page. It asks its own back end and nobody else, and says what is so: what is held, until when, and why.

const $ = (id) => document.getElementById(id);
const WEI = 10n ** 18n;

// ---- Asking the back end

async function ask(method, path, body) {
  const headers = body && { "content-type": "application/json" };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

/** Runs what a button or a form starts: once at a time, and a failure is told in words. */
function on(element, event, run) {
  element.addEventListener(event, async (fired) => {
    fired.preventDefault();
    const buttons = element.tagName === "FORM" ? element.querySelectorAll("button") : [element];
    buttons.forEach((button) => (button.disabled = true));
    $("problem").hidden = true;
    try {
      await run();
      await refresh();
    } catch (error) {
      const isOff = error.name === "NotAllowedError";
      $("problem").textContent = isOff ? "Your passkey was not used, so nothing was sent." : error.message;
      $("problem").hidden = false;
      $("problem").scrollIntoView({ block: "nearest" });
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  });
}

// ---- Words

function ether(wei) {
  const [whole, rest] = [BigInt(wei) / WEI, String(BigInt(wei) % WEI).padStart(18, "0").replace(/0+$/, "")];
  return rest ? `${whole}.${rest}` : `${whole}`;
}

function wei(text) {
  const [whole, rest = ""] = text.trim().split(".");
  return String(BigInt(whole) * WEI + BigInt(rest.padEnd(18, "0")));
}

/** Today's moments by the clock, to the second where they are near; others with their day. */
function when(time) {
  const date = new Date(time);
  const clock = { hour: "2-digit", minute: "2-digit" };
  if (Math.abs(time - Date.now()) < 3_600_000) clock.second = "2-digit";
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { weekday: "long", day: "numeric", month: "long" };
  const said = new Intl.DateTimeFormat("en-GB", { ...day, ...clock }).format(date);
  return isToday ? `today at ${said}` : said;
}

const bare = (address) => address.split(":").pop();
const short = (address) => `${bare(address).slice(0, 8)}…${bare(address).slice(-6)}`;

/** Why something is held, for each thing that it waits for. */
const BECAUSE = {
  delay: (_, until) => (until ? "this address is new" : "the journal’s witnesses have still to sign for it"),
  approvals: () => "somebody of ours looks at amounts of this size first",
  unfreeze: () => "your account is frozen",
  lift: () => "withdrawals are stopped for everybody at the moment",
  room: () => "your limit for now is used up",
  assertion: () => "it needs your passkey again",
  debit: () => "our ledger has not booked it yet",
  screening: () => "the address is still being checked",
  "travel-rule": () => "the receiver's provider has to confirm it",
  principals: ({ missing }) => `${missing} more of this account's holders have to sign`,
};

function held(needs = [], until) {
  // That the witnesses sign takes a second or two: it is told only where there is nothing else to tell.
  const told = needs.filter(({ need }) => need !== "delay" || until || needs.length === 1);
  const reasons = told.map((need) => (BECAUSE[need.need] ?? (() => `it waits for ${need.need}`))(need, until));
  const because = reasons.length ? `, because ${new Intl.ListFormat("en-GB").format(reasons)}` : "";
  return `Held${until ? ` until ${when(until)}` : ""}${because}.`;
}

/** A reason's name as words; a sentence as it is. */
const plain = (why) => (/^[a-z-]+$/.test(why) ? `${why.replaceAll("-", " ")}.` : why);

/** A pill and a sentence for each stage. */
function standing({ stage, needs, until, why, back, transactions = [] }) {
  const returned = back ? "The amount is back in your balance." : "The amount comes back once the journal itself shows that nothing moved.";
  const table = {
    sending: ["Sending", "wait", "We have no answer yet and keep asking. It happens once at most."],
    held: ["Held", "wait", held(needs, until)],
    released: ["Approved", "wait", "The signer checks it again by itself, then signs."],
    signed: ["Sent", "wait", "Signed and handed to the network. It waits for a block."],
    withheld: ["Stopped", "wait", "Stopped on its way. It may still go out, or come back; we follow it."],
    confirmed: ["Arrived", "good", transactions.length ? `Transaction 0x${transactions.at(-1)}` : "It has arrived."],
    returned: ["Not sent", "bad", returned],
    refused: ["Not sent", "bad", `${why ? `Refused: ${plain(why)} ` : ""}${returned}`],
  };
  return table[stage] ?? [stage, "wait", ""];
}

// ---- Passkeys

async function createPasskey() {
  const options = await ask("POST", "/api/passkey/options", {});
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const credential = await navigator.credentials.create({ publicKey });
  const { stage, why } = await ask("POST", "/api/passkey", { challenge: options.challenge, credential: credential.toJSON() });
  if (stage === "refused") throw new Error(`The gate did not take it: ${why}`);
}

/** Shows what is asked for and what would come of it, has it signed, and sends it. */
async function act(kind, title, lines) {
  const { digest, decision, options } = await ask("POST", "/api/draft", { kind });
  if (decision.decision === "refuse") throw new Error(`This would be refused: ${plain(decision.reason)} Nothing was sent.`);
  if (!options) throw new Error("You have no passkey that counts yet. Nothing was sent.");
  const then = decision.decision === "hold" ? preview(decision) : "";
  const credential = await signed(options, title, lines, then);
  if (credential) tell(title, await ask("POST", "/api/confirm", { digest, credential }));
}

/** The same act, which waits, signed once more. */
async function signAgain({ digest, to, amount, needs }) {
  const { options } = needs.find(({ need }) => need === "assertion");
  const lines = [["Amount", `${ether(amount)} ETH`], ["To", bare(to)]];
  const credential = await signed(options, "Sign this withdrawal again", lines, "Your first signature no longer counts. It is the same withdrawal: it goes out once.");
  if (credential) tell("Withdrawal", await ask("POST", "/api/sign-again", { digest, credential }));
}

/** What the passkey says, if its owner agrees to what is shown. */
async function signed(options, title, lines, then) {
  $("review-title").textContent = title;
  $("review-what").replaceChildren(...lines.flatMap(([term, text]) =>
    [h("dt", {}, term), h("dd", { className: text.startsWith("0x") ? "hash" : "" }, text)]));
  $("review-then").textContent = then;
  if (!(await agreed())) return null;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

function tell(title, { stage, why }) {
  if (stage === "refused") throw new Error(`The gate refused: ${why}`);
  $("news").textContent = stage === "sending" ? "Sent; no answer yet." : `${title}: ${stage}.`;
}

/** The debit is booked once you have signed, so nobody waits for that. */
function preview({ needs, until }) {
  const left = needs.filter(({ need }) => need !== "debit");
  return left.length ? held(left, until).replace(/^Held/, "It will be held") : "";
}

function agreed() {
  const dialog = $("review");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

// ---- Showing

function h(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter(Boolean));
  return element;
}

let me;

async function refresh() {
  const before = JSON.stringify(me);
  me = await ask("GET", "/api/me");
  // Times come and go by themselves; forms keep what was typed, and lists the focus.
  if (JSON.stringify(me) !== before || [...(me?.passkeys ?? []), ...(me?.addresses ?? [])].some(({ available_at }) => available_at > Date.now() - 5_000)) show();
}

function show() {
  const key = me?.passkeys?.at(-1);
  const counts = me?.passkeys?.some(({ available_at }) => available_at !== null && available_at <= Date.now());
  $("welcome").hidden = Boolean(me);
  $("enrol").hidden = !me || Boolean(key);
  $("soon").hidden = !key || Boolean(counts);
  $("account").hidden = !counts;
  if (key && !counts) {
    $("soon-when").textContent = key.available_at === null
      ? "Your passkey is enrolled. When it begins to count stands here in a moment."
      : `Your passkey is enrolled, and counts ${when(key.available_at)}.`;
  }
  if (counts) showAccount();
}

function showAccount() {
  const { name, balance, frozen, addresses, passkeys, withdrawals } = me;
  $("whose").textContent = `${name}’s account`;
  $("balance").textContent = ether(balance);
  $("frozen").hidden = !frozen;
  $("freeze").hidden = frozen;
  $("unfreeze").hidden = !frozen;
  $("stop-title").textContent = frozen ? "Frozen" : "Something wrong?";
  $("stop-text").textContent = frozen
    ? "Nothing leaves your account. What is held stays held. When all is well, unfreeze it with your passkey."
    : "Freeze your account. Withdrawals that are held stay held, and new ones go nowhere. You undo it with your passkey.";
  $("no-address").hidden = addresses.length > 0;
  $("withdraw").hidden = addresses.length === 0;
  $("no-withdrawals").hidden = withdrawals.length > 0;
  const chosen = $("to").value;
  $("to").replaceChildren(...addresses.map(({ address }) => h("option", { value: address, selected: address === chosen }, short(address))));
  $("addresses").replaceChildren(...addresses.map(addressLine));
  $("passkeys").replaceChildren(...passkeys.map(passkeyLine));
  $("withdrawals").replaceChildren(...withdrawals.map(withdrawalLine));
}

function ready(time, what) {
  if (time === null) return [h("span", { className: "pill" }, "New"), `When ${what} stands here in a moment.`];
  if (time <= Date.now()) return [h("span", { className: "pill good" }, "Ready"), undefined];
  return [h("span", { className: "pill" }, "New"), `${what[0].toUpperCase()}${what.slice(1)} ${when(time)}.`];
}

function addressLine({ address, available_at }, index) {
  const [pill, text] = ready(available_at, index === 0 ? "your first address is ready" : "it is ready");
  return h("li", {}, h("div", { className: "line" }, h("span", { className: "hash", title: bare(address) }, short(address)), pill),
    text && h("p", { className: "quiet" }, text));
}

function passkeyLine({ id, available_at }) {
  const [pill, text] = ready(available_at, "it counts");
  return h("li", {}, h("div", { className: "line" }, h("span", { className: "hash" }, id.slice(0, 12)), pill), text && h("p", { className: "quiet" }, text));
}

function withdrawalLine(withdrawal) {
  const { digest, to, amount, stage, at } = withdrawal;
  const [word, look, text] = standing(withdrawal);
  const isWanted = stage === "held" && withdrawal.needs?.some(({ need, options }) => need === "assertion" && options);
  const again = isWanted && h("button", { className: "primary small", type: "button" }, "Sign it again");
  if (again) on(again, "click", () => signAgain(withdrawal));
  const cancel = stage === "held" && h("button", { className: "secondary small", type: "button" }, "Cancel it");
  if (cancel) on(cancel, "click", () => act({ type: "cancel", act: digest }, "Cancel this withdrawal", [["Amount", `${ether(amount)} ETH`], ["To", bare(to)]]));
  return h("li", { id: `w-${digest}` },
    h("div", { className: "line" }, h("span", { className: "amount" }, `${ether(amount)} ETH`), h("span", { className: `pill ${look}` }, word)),
    h("p", { className: "quiet" }, `to `, h("span", { className: "hash", title: bare(to) }, short(to)), `, ${when(at)}`),
    text && h("p", { className: text.startsWith("Transaction") ? "hash" : "" }, text),
    (again || cancel) && h("div", { className: "row" }, again, cancel));
}

// ---- What people press

on($("sign-up"), "submit", () => ask("POST", "/api/sign-up", { name: $("name").value }));
on($("create"), "click", createPasskey);
on($("add-address"), "submit", async () => {
  const address = `${me.chain}:${$("address").value.trim().toLowerCase()}`;
  await act({ type: "add-address", address }, "Add this address", [["Address", bare(address)], ["Then", "It is paid only after its delay has run."]]);
  $("add-address").reset();
});
on($("withdraw"), "submit", async () => {
  const [to, amount] = [$("to").value, wei($("amount").value)];
  await act({ type: "withdraw", to, amount }, "Withdraw", [["Amount", `${ether(amount)} ETH`], ["To", bare(to)]]);
  $("withdraw").reset();
});
on($("freeze"), "click", () => act({ type: "freeze" }, "Freeze your account", [["Stops", "every withdrawal, new address and new passkey"], ["Until", "you unfreeze it with this passkey"]]));
on($("unfreeze"), "click", () => act({ type: "unfreeze" }, "Unfreeze your account", [["Then", "what was held goes on as it would have"]]));

setInterval(() => document.hidden || refresh().catch(() => {}), 1_000);
await refresh();
