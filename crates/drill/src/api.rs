//! The variant `api`: the attackers have what those of 2022 had, and more.
//!
//! They hold the platform's API position: the back end signs and relays whatever they ask, the ledger
//! debits for it, and whatever passes by, they see and can hold back. What they lack is any customer's
//! factor. An account of their own, with a passkey of its own, they do have.

use crate::answer::Answer;
use crate::attack::{Job, On, Seen, Way, genuine};
use crate::error::DrillError;
use crate::money::Money;
use crate::people::{Customer, Town};
use crate::platform::Platform;
use portcullis_client::{Ceremony, RequestSigner};
use portcullis_core::act::{Act, ActKind};
use portcullis_core::passkey::Assertion;
use portcullis_core::{Digest, Evidence, Reason, Time};
use std::thread;

/// A domain that looks right.
const LOOK_ALIKE: &str = "https://1ocalhost.example";

macro_rules! ways {
    ($($name:ident $on:ident $text:literal $reason:ident;)*) => {
        $(pub(crate) const $name: Way = Way {
            name: $text,
            on: On::$on,
            met_by: Some(Answer::Refused(Reason::$reason)),
        };)*
        /// All of them, in the table's order.
        pub(crate) const WAYS: &[Way] = &[$($name,)* REPLAYED_ACT, RACE];
    };
}

/// The same act again has the same answer again, and nothing new comes of it.
pub(crate) const REPLAYED_ACT: Way = Way {
    name: "an accepted act sent again, whole",
    on: On::Passkey,
    met_by: Some(Answer::Again),
};
pub(crate) const RACE: Way = Way {
    name: "the customer's own act sent many times at once",
    on: On::Passkey,
    met_by: Some(Answer::Again),
};

ways! {
    NO_FACTOR Everybody "as in 2022: no factor at all" FactorMissing;
    NO_FACTOR_AGED Everybody "no factor, to the customer's own aged address" FactorMissing;
    REPLAYED_ASSERTION Passkey "an earlier assertion of the customer's, replayed" PasskeyChallenge;
    OTHER_PAYEE Passkey "an assertion held back, the payee exchanged" PasskeyChallenge;
    OTHER_AMOUNT Passkey "an assertion held back, the amount raised" PasskeyChallenge;
    OTHER_ACCOUNT Passkey "one customer's assertion for another's account" FactorUnknown;
    OTHER_ACT Passkey "an assertion over a harmless act, used for a withdrawal" PasskeyChallenge;
    OWN_PASSKEY Passkey "the attackers' own passkey for the customer's account" FactorUnknown;
    FORGED Passkey "an assertion with a forged signature" PasskeySignature;
    LOOK_ALIKE_ORIGIN Passkey "asserted at a look-alike domain" PasskeyOrigin;
    FRAMED Passkey "asserted inside a foreign frame" PasskeyCrossOrigin;
    OTHER_PARTY Passkey "asserted for another relying party" PasskeyRelyingParty;
    NOT_VERIFIED Passkey "asserted without verifying the person" PasskeyNotVerified;
    COPIED Passkey "a copied authenticator whose counter stands still" PasskeyCounter;
    EXPIRED Passkey "a whole act held back until it had expired" Expired;
    OLD_CHECKPOINT Passkey "a whole act held back for a day" UnknownCheckpoint;
    NO_BACK_END Everybody "a request that the back end did not sign" Unauthenticated;
    CODE_LARGE Large "talked out of a code: more than a code lets out" OverCodeLimit;
    CODE_STRANGER Little "talked out of a code: a little, to a fresh address" AddressUnknown;
    CODE_YOUNG Little "talked out of a code that added an address: a little, to that" AddressTooYoung;
    CODE_SPENT Little "that code a second time, to the customer's own aged address" CodeWrong;
    CODE_GUESSED Little "a guessed code, to the customer's own aged address" CodeWrong;
    CODE_OLD Little "a code of ten minutes ago" CodeWrong;
    CODE_OTHERS Little "the code of another customer's app" CodeWrong;
    CODE_OTHER_ACT Little "a code that the customer gave for a harmless act" CodeWrong;
    CODE_OTHERS_APP Little "another customer's app and its right code" FactorUnknown;
    CODE_GUESSED_ON Little "guessed on, after five wrong codes in the day" TooManyCodes;
}

/// What the attackers saw, by customer.
pub(crate) struct Loot {
    /// Held back before a day went by.
    pub(crate) day_old: Vec<Option<Seen>>,
    /// Held back until they had expired.
    pub(crate) expired: Vec<Option<Seen>>,
    /// Let pass, and accepted.
    pub(crate) accepted: Vec<Seen>,
}

/// The attackers at work.
pub(crate) struct Attackers<'a> {
    pub(crate) town: &'a Town,
    pub(crate) loot: &'a Loot,
    /// A request key that genesis names for nobody.
    pub(crate) key: RequestSigner,
}

/// The acts of the customers whom a way wants, made and asserted now and sent by nobody yet.
pub(crate) fn hold_back(
    town: &Town,
    jobs: &[Job],
    way: &Way,
    platform: &Platform,
) -> Result<Vec<Option<Seen>>, DrillError> {
    let mut held = vec![None; town.victims.len()];
    for job in jobs.iter().filter(|job| job.way == *way) {
        let customer = &town.victims[job.victim].customer;
        held[job.victim] = Some(own(platform, customer, job.slice.money)?);
    }
    Ok(held)
}

/// A withdrawal of the customer's own, to its aged address.
fn own(platform: &Platform, customer: &Customer, money: Money) -> Result<Seen, DrillError> {
    genuine(platform, customer, customer.address(money.asset), money)
}

impl Attackers<'_> {
    /// Try one withdrawal, of any way but a race ([`Attackers::race`]) and those of codes (`codes`).
    pub(crate) fn attempt(&self, platform: &Platform, job: &Job) -> Result<Answer, DrillError> {
        let customer = &*self.town.victims[job.victim].customer;
        let (to, money) = (job.slice.thief, job.slice.money);
        let to_thief = || platform.act_of(customer, money.paid_to(to));
        match job.way {
            NO_FACTOR => relay(platform, &to_thief()?, Vec::new()),
            NO_FACTOR_AGED => {
                let kind = money.paid_to(customer.address(money.asset));
                relay(platform, &platform.act_of(customer, kind)?, Vec::new())
            }
            NO_BACK_END => self.go_round(platform, &to_thief()?),
            EXPIRED => late(platform, &self.loot.expired, job.victim),
            OLD_CHECKPOINT => late(platform, &self.loot.day_old, job.victim),
            REPLAYED_ACT => {
                let Seen { act, evidence, .. } = &self.loot.accepted[job.victim];
                platform.relay_anew(act, evidence)
            }
            OTHER_AMOUNT => {
                let Seen {
                    mut act, evidence, ..
                } = own(platform, customer, money.half())?;
                act.kind = money.paid_to(customer.address(money.asset));
                relay(platform, &act, evidence.assertions)
            }
            OTHER_PAYEE => {
                let Seen {
                    mut act, evidence, ..
                } = own(platform, customer, money)?;
                act.kind = money.paid_to(to);
                relay(platform, &act, evidence.assertions)
            }
            _ => {
                let act = to_thief()?;
                let assertion = self.assertion(platform, &job.way, job.victim, &act)?;
                relay(platform, &act, vec![assertion])
            }
        }
    }

    /// The assertion that a way brings for an act that no customer has seen.
    fn assertion(
        &self,
        platform: &Platform,
        way: &Way,
        victim: usize,
        act: &Act,
    ) -> Result<Assertion, DrillError> {
        let customer = &*self.town.victims[victim].customer;
        let passkey = &customer.passkey;
        let digest = act.digest();
        let party = platform.party()?;
        let honest = Ceremony {
            rp_id: party.rp_ids.first().map_or("", String::as_str),
            origin: party.origins.first().map_or("", String::as_str),
            cross_origin: false,
            user_verified: true,
            count: u32::MAX - 1,
        };
        let said = |ceremony: Ceremony<'_>| Ok(passkey.assert_as(digest, &ceremony)?);
        match *way {
            LOOK_ALIKE_ORIGIN => said(Ceremony {
                origin: LOOK_ALIKE,
                ..honest
            }),
            FRAMED => said(Ceremony {
                cross_origin: true,
                ..honest
            }),
            OTHER_PARTY => said(Ceremony {
                rp_id: "1ocalhost.example",
                ..honest
            }),
            NOT_VERIFIED => said(Ceremony {
                user_verified: false,
                ..honest
            }),
            COPIED => said(Ceremony { count: 1, ..honest }),
            OWN_PASSKEY => platform.assert(&self.town.attacker.passkey, digest),
            OTHER_ACCOUNT => {
                let other = self.town.next_with_passkey(victim);
                let other = &self.town.victims[other].customer;
                platform.assert(&other.passkey, digest)
            }
            FORGED => {
                let mut forged = platform.assert(passkey, digest)?;
                let other = platform.act_of(customer, ActKind::Freeze)?;
                forged.signature = platform.assert(passkey, other.digest())?.signature;
                Ok(forged)
            }
            OTHER_ACT => {
                let harmless = platform.act_of(customer, ActKind::Freeze)?;
                platform.assert(passkey, harmless.digest())
            }
            // An earlier assertion, as it passed.
            _ => {
                let evidence = &self.loot.accepted[victim].evidence;
                let earlier = evidence.assertions.first().cloned();
                earlier.ok_or_else(|| DrillError::Journal("an act without its assertion".into()))
            }
        }
    }

    /// Not through the back end: signed by a key of the attackers' own.
    fn go_round(&self, platform: &Platform, act: &Act) -> Result<Answer, DrillError> {
        let evidence = platform.debited(act, Evidence::default())?;
        Ok(platform.cast.gate.submit(&self.key, act, &evidence).into())
    }

    /// The customer's own act on its way, and as many copies of it at the same moment: one may pass.
    pub(crate) fn race(&self, platform: &Platform, job: &Job) -> Result<Race, DrillError> {
        let customer = &*self.town.victims[job.victim].customer;
        let Seen { act, evidence, .. } = own(platform, customer, job.slice.money)?;
        let asked = platform.now();
        let copies: Vec<Platform> = (0..COPIES).map(|_| platform.anew()).collect();
        let answers: Vec<Answer> = thread::scope(|scope| {
            let send = |copy: Platform| {
                let (act, evidence) = (&act, &evidence);
                scope.spawn(move || copy.relay_anew(act, evidence))
            };
            let copies: Vec<_> = copies.into_iter().map(send).collect();
            let own = platform.relay(&act, &evidence);
            let lost = |_| Ok(Answer::Lost("a thread panicked".into()));
            let copies = copies.into_iter();
            let copies = copies.map(|copy| copy.join().unwrap_or_else(lost));
            [Ok(own)]
                .into_iter()
                .chain(copies)
                .collect::<Result<_, DrillError>>()
        })?;
        let digest = act.digest();
        Ok(Race {
            digest,
            asked,
            answers,
        })
    }
}

/// Through the back end, which signs, with the ledger's debit.
fn relay(platform: &Platform, act: &Act, assertions: Vec<Assertion>) -> Result<Answer, DrillError> {
    let evidence = Evidence {
        assertions,
        ..Evidence::default()
    };
    Ok(platform.relay(act, &platform.debited(act, evidence)?))
}

/// What was held back, sent at last.
fn late(platform: &Platform, held: &[Option<Seen>], victim: usize) -> Result<Answer, DrillError> {
    let none = || DrillError::Journal("nothing was held back".into());
    let Seen { act, evidence, .. } = held[victim].as_ref().ok_or_else(none)?;
    Ok(platform.relay(act, evidence))
}

/// How many copies race the customer's own request.
const COPIES: usize = 3;

/// What a race ended in.
pub(crate) struct Race {
    pub(crate) digest: Digest,
    pub(crate) asked: Time,
    /// The customer's own first; who wins is chance.
    answers: Vec<Answer>,
}

impl Race {
    fn is_taken(answer: &Answer) -> bool {
        matches!(answer, Answer::Released | Answer::Batched | Answer::Held)
    }

    /// The customer's answer: the act was taken once, whoever sent it first.
    pub(crate) fn own(&self) -> Answer {
        let taken = self.answers.iter().find(|answer| Self::is_taken(answer));
        taken
            .or(self.answers.first())
            .cloned()
            .unwrap_or(Answer::Held)
    }

    /// The copies' answer: the same answer again, where the act stands in one entry only.
    pub(crate) fn copies(&self) -> Answer {
        let is_once = |answer: &&Answer| Self::is_taken(answer);
        let copies = self.answers.iter().skip(1);
        let taken = copies.clone().find(is_once);
        taken
            .or(copies.clone().next())
            .cloned()
            .unwrap_or(Answer::Again)
    }
}
