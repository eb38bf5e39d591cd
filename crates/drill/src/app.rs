//! Customers who have nothing but an authenticator app: what they prove by its digits, and how that ends.

use crate::answer::Answer;
use crate::error::DrillError;
use crate::people::Customer;
use crate::platform::{Platform, came_to};
use crate::wait::until;
use portcullis_client::{Algorithm, Digits, Envelope, SealError, Seed, seal_code, seal_seed};
use portcullis_core::act::Act;
use portcullis_core::code::step_at;
use portcullis_core::decision::Need;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::FactorId;
use portcullis_core::{Digest, Evidence, Time};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// How many digits the app shows.
const DIGITS: u8 = 6;

/// An authenticator app, on a telephone whose clock may be half a minute ahead.
pub(crate) struct App {
    seed: Seed,
    /// Steps of 30 seconds.
    ahead: u32,
    /// What it is enrolled as.
    factor: OnceLock<FactorId>,
}

impl App {
    /// An app with a secret.
    pub(crate) fn new(secret: [u8; 20], ahead: u32) -> Result<Self, DrillError> {
        let seed = Seed::new(Zeroizing::new(secret.to_vec()), Algorithm::Sha1, DIGITS);
        let seed = seed.map_err(|fault| DrillError::Network(fault.to_string()))?;
        Ok(Self {
            seed,
            ahead,
            factor: OnceLock::new(),
        })
    }
}

impl App {
    /// What it showed ten minutes before.
    pub(crate) fn earlier(&self, now: Time) -> Digits {
        self.seed.digits(step_at(now).saturating_sub(20))
    }

    /// Digits that it shows at no time near this one: what somebody guesses.
    pub(crate) fn wrong(&self, now: Time) -> Result<Digits, DrillError> {
        let near = step_at(now).saturating_sub(5)..step_at(now).saturating_add(5);
        let is_shown = |digits: &Digits| near.clone().any(|step| self.seed.is_of(step, digits));
        let mut guesses = (0..=9).filter_map(|digit| Digits::parse(&digit.to_string().repeat(6)));
        let none = || DrillError::Network("an app that shows every number".into());
        guesses.find(|digits| !is_shown(digits)).ok_or_else(none)
    }
}

impl Platform {
    /// Seal an app's seed to the herald: the factor that commits to it, and the envelope that follows it.
    pub(crate) fn app_factor(
        &self,
        customer: &Customer,
        app: &App,
    ) -> Result<(NewFactor, Envelope), DrillError> {
        let (network, random) = (&self.cast.network, self.cast.machine.random.as_ref());
        let sealed = seal_seed(&app.seed, network, customer.account, random);
        let envelope = sealed.map_err(not_sealed)?;
        let seed = envelope.commitment();
        let factor = NewFactor::Totp { seed };
        app.factor.get_or_init(|| factor.id());
        Ok((factor, envelope))
    }

    /// What the app shows now.
    pub(crate) fn digits(&self, app: &App) -> Digits {
        app.seed
            .digits(step_at(self.now()).saturating_add(app.ahead))
    }

    /// Evidence for an act with digits that somebody typed.
    pub(crate) fn by_code(
        &self,
        app: &App,
        digits: &Digits,
        act: Digest,
    ) -> Result<Evidence, DrillError> {
        let unknown = || DrillError::Network("an app shows digits before it is enrolled".into());
        let factor = *app.factor.get().ok_or_else(unknown)?;
        let (network, random) = (&self.cast.network, self.cast.machine.random.as_ref());
        let code = seal_code(digits, network, (act, factor), random).map_err(not_sealed)?;
        Ok(Evidence {
            code: Some(code),
            ..Evidence::default()
        })
    }

    /// Relay an act, and wait for what the herald's word makes of it where a code came with it.
    pub(crate) fn ask(&self, act: &Act, evidence: &Evidence) -> Result<Answer, DrillError> {
        match self.relay(act, evidence) {
            Answer::Held if evidence.code.is_some() => self.judged(act.digest()),
            other => Ok(other),
        }
    }

    /// Until an act's code is judged and the act has ended, or waits for a lift.
    fn judged(&self, act: Digest) -> Result<Answer, DrillError> {
        let (gate, signer) = (&self.cast.gate, &self.cast.back_end.signer);
        until("the herald's word on a code", || {
            let Some(standing) = gate.act(signer, act)? else {
                return Ok(None);
            };
            let is_judged = !standing.needs.contains(&Need::Totp);
            Ok(came_to(&standing).filter(|answer| is_judged || *answer != Answer::Held))
        })
    }
}

fn not_sealed(error: SealError) -> DrillError {
    DrillError::Network(error.to_string())
}
