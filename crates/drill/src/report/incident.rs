//! What is known of 17 January 2022, with its uncertainties; and what the drill takes for granted.

/// Times in UTC. From the firm's report of 20 January 2022, its notices, and press of those days.
pub(super) const TIMELINE: &[(&str, &str)] = &[
    (
        "17 Jan, about 00:46",
        "The firm’s risk monitoring sees withdrawals that were approved without the users’ second factor. (The hour is uncertain.)",
    ),
    (
        "about 03:46 to 04:44",
        "All withdrawals are suspended. (Reckoned from the restoration and from notices.)",
    ),
    (
        "later that day",
        "The second factor of all customers is revoked; everybody logs in and enrols again.",
    ),
    (
        "17:42",
        "Withdrawals are restored, some 14 hours after they were suspended.",
    ),
    (
        "18 Jan",
        "A delay of 24 hours for new withdrawal addresses is introduced.",
    ),
    (
        "20 Jan",
        "The firm’s report: 483 users in all currencies together; 4,836.26 ETH, 443.93 BTC, and about US$66,200 of others. In most cases, it says, the withdrawals were stopped, and in all others the customers were reimbursed. How the check was passed by was never published.",
    ),
];

/// Where sources disagree.
pub(super) const CONFLICTS: &str = "Sources disagree: the report puts the restoration on 18 January, tweets and press on 17 January; \
     accounts were given as 282, about 400 and 483; ETH as 4,600 to 4,836.26. This drill uses the report’s final figures, with \
     ETH in all 483 accounts, BTC in every fifth and the other assets in every tenth of them: who lost what is not public. \
     Which other assets it was is not either; a token of dollars stands for them.";

/// What was missing, by our reading, and what stands there now.
pub(super) const CONTROLS: &[(&str, &str)] = &[
    (
        "The second factor’s result was not bound to the exact withdrawal.",
        "The passkey signs the act’s digest: payee, amount, account, network, expiry. Evidence for one act is evidence for nothing else.",
    ),
    (
        "One service’s word was enough.",
        "The signer, in another process that listens nowhere, decides again by itself and signs exactly the planned bytes or nothing.",
    ),
    (
        "New addresses could be paid at once (the delay came the day after).",
        "A new address waits 24 hours from the witnesses’ cosignature. Nobody can shorten it, not even as root on the gate.",
    ),
    (
        "Nobody but the platform told customers what was done in their name.",
        "The herald, in a process of its own, tells each customer what the journal really says. A new address or factor begins to wait only once a mail server has taken that notice.",
    ),
    (
        "Suspending took people some hours.",
        "One act; stopped when the signer has signed that it has it. It can be posted beside the gate, on a stop board.",
    ),
    (
        "Who was affected had to be found out.",
        "Every release carries its evidence in a log that anybody can check again; there is no release without it.",
    ),
];

/// What holds for this page.
pub(super) const OF_THE_DRILL: &[&str] = &[
    "Gate, signer, herald, witness with stop board, the mail server (aiosmtpd, which judges each DKIM signature with dkimpy), the Ethereum node (anvil) and the Bitcoin node (regtest; blocks and spends are judged by Bitcoin Core’s own validation code, pool and RPC around it are the drill’s) are real processes; customers’ passkeys and authenticator apps are keys and seeds in software that behave as the real ones do. Everything runs on one machine, as no network for real money would.",
    "Waiting is played by moving a test clock that only a development genesis accepts: delays have their production length of 24 hours.",
    "Honest customers (3,000 at scale 1), their amounts and the order of everything come from the seed. Keys and ids of the network are made afresh.",
    "Every eighth customer, honest or attacked, has an authenticator app and no passkey, as many then had. The app’s digits are judged by the herald alone. They let out little (0.2 ETH, 0.02 BTC or 50 USD at once, twice as much in a day, five times as much in a week), and only to addresses that have stood in the book for a week. Of the withdrawals that are tried on such an account nine are of 0.2 ETH, so that codes can be tried at all.",
    "The other assets, US$66,200 in all, are one token of six decimals (OpenZeppelin’s ERC-20), which the drill brings to the chain itself. What was paid in it is read from the contract’s logs, and what is held is asked of the contract. Every tenth honest customer withdraws it, too.",
    "The BTC are on a regtest chain. Customers’ and attackers’ addresses there are of all five kinds; the gate’s wallet is P2TR, the hot wallet as it was P2WPKH. Every tenth honest customer withdraws BTC. What is paid from coins waits up to a minute of the network’s clock for others that the same transaction pays, which the drill moves too. What was paid is read from the blocks, and what is held from the unspent outputs, to the satoshi. The miner is the attackers’ own for a while: before five of the blocks it alters one of the wallet’s signed transactions (a bit of the signature, an amount, a payee) and tries to mine that.",
    "When operators suspend is scripted: after two thirds of the attempts (API), once the forged entries have met the signer (gate), after the week and the day that addresses wait, for which the clock is moved (page). “All stopped after” therefore says how long the script runs before them, but for the gate, where the signer stops by itself. What is measured is how long stopping takes: from the recorded suspension to every keeper’s signed word that it has it.",
    "Limits in the drill: 5 ETH, 2 BTC or 500 USD at once, twice as much in an hour or a day and four times as much in a week for each account; three times the honest volume in a day for the platform, and at least ten of the largest withdrawals.",
    "Root on the gate’s host is played by writing its journal with the gate’s own files while the gate is down, and by changing its configuration. Root on a signer’s or on a witness’ host is another matter: see SECURITY.md.",
    "Who notices in the last variant is chosen, not measured: of ten attacked customers with a passkey three are tricked into paying a fresh address at once; seven into adding one, of whom one cancels it within the day, one has the account frozen, one finds a withdrawal waiting, three notice nothing, and one is tricked the second time only after withdrawals were suspended. Every app’s owner is talked out of codes for three addresses: a week before, which it misses; on the day one that it takes back by its next code, and one that stays and is too young. That decides how much leaves; the limits decide how much can, and the report says how much that is.",
    "Root’s forged releases are appended at once. The first latches the running signer; the seed chooses of which way it is. Each of the others is judged by itself by the same code, offline in the drill, and again by whoever verifies the journal.",
];
