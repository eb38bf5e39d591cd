//! The platform beside the gate: its back end, its onboarding, its ledger, its staff. What it asks, it
//! asks over HTTP like anybody.

use crate::answer::Answer;
use crate::cast::{Cast, Member};
use crate::error::DrillError;
use crate::people::Customer;
use crate::wait::until;
use portcullis_chains::caip::Address;
use portcullis_client::{
    ActBuilder, Contact, DevelopmentPasskey, Envelope, Gate, Issuer, Reach, Standing, Unsigned,
    seal,
};
use portcullis_core::act::{Act, ActKind, AddAddress, EnrolFactor, OpenAccount};
use portcullis_core::decision::Need;
use portcullis_core::id::{AccountId, LedgerEntryId, PrincipalId};
use portcullis_core::passkey::{Assertion, RelyingParty};
use portcullis_core::realm::Realm;
use portcullis_core::reason::Retry;
use portcullis_core::{Digest, Evidence, Reason, Span, Time};
use portcullis_host::Web;
use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

/// How long a checkpoint is named before a newer one is asked for.
const REMEMBER: Span = Span::seconds(2);
/// How often the same is sent again to a gate that says "later".
const TRIES: u32 = 200;
const LATER: Duration = Duration::from_millis(50);

/// The platform, with connections of its own.
pub(crate) struct Platform {
    pub(crate) cast: Cast,
    checkpoint: Arc<Mutex<Option<(Digest, Time)>>>,
    /// Acts that went out to be paid with others, as far as nobody has waited for them.
    batched: Arc<Mutex<Vec<Digest>>>,
}

impl Platform {
    pub(crate) fn new(cast: Cast) -> Self {
        Self {
            cast,
            checkpoint: Arc::new(Mutex::new(None)),
            batched: Arc::default(),
        }
    }

    /// The same with other connections: for another thread.
    pub(crate) fn anew(&self) -> Self {
        let mut cast = self.cast.clone();
        cast.machine.http = Arc::new(Web::new());
        cast.gate = Gate::new(cast.gate.endpoint().clone(), cast.machine.clone());
        Self {
            cast,
            checkpoint: Arc::clone(&self.checkpoint),
            batched: Arc::clone(&self.batched),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.cast.machine.clock.now()
    }

    /// The customers' relying party: ids and origins.
    pub(crate) fn party(&self) -> Result<&RelyingParty, DrillError> {
        let party = self.cast.network.relying_party(Realm::Customers);
        party.ok_or_else(|| DrillError::Network("it names no relying party for customers".into()))
    }

    fn rp_id(&self) -> Result<&str, DrillError> {
        let none = || DrillError::Network("it names no relying party id".into());
        self.party()?
            .rp_ids
            .first()
            .map(String::as_str)
            .ok_or_else(none)
    }

    fn origin(&self) -> Result<&str, DrillError> {
        let none = || DrillError::Network("it names no origin".into());
        self.party()?
            .origins
            .first()
            .map(String::as_str)
            .ok_or_else(none)
    }

    /// An act in the making.
    pub(crate) fn draft(&self) -> Result<ActBuilder, DrillError> {
        let now = self.now();
        let checkpoint = self.checkpoint(now)?;
        let random = self.cast.machine.random.as_ref();
        Ok(ActBuilder::new(
            self.cast.genesis(),
            checkpoint,
            now,
            random,
        ))
    }

    fn checkpoint(&self, now: Time) -> Result<Digest, DrillError> {
        let mut known = self
            .checkpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((digest, asked)) = *known
            && now.since(asked) < REMEMBER
        {
            return Ok(digest);
        }
        let digest = self.cast.gate.checkpoint()?.digest;
        *known = Some((digest, now));
        Ok(digest)
    }

    /// Whether acts can name the gate's checkpoint by now. Right after its start a gate names one that is
    /// still to be journaled, and may journal a newer one instead. Asked by an act of nobody, which is
    /// refused for its account, and not before that for its checkpoint.
    pub(crate) fn can_name_a_checkpoint(&self) -> Result<bool, DrillError> {
        let random = self.cast.machine.random.as_ref();
        let (nobody, account) = (PrincipalId(random.array()), AccountId(random.array()));
        let act = self.draft()?.by_customer(nobody, account, ActKind::Freeze);
        let answer = self.relay(&act, &Evidence::default());
        let is_known = answer == Answer::Refused(Reason::UnknownAccount);
        if !is_known {
            *self
                .checkpoint
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(is_known)
    }

    /// A customer's act.
    pub(crate) fn act_of(&self, customer: &Customer, kind: ActKind) -> Result<Act, DrillError> {
        Ok(self
            .draft()?
            .by_customer(customer.principal, customer.account, kind))
    }

    /// What an honest authenticator at the platform's own page says over an act.
    pub(crate) fn assert(
        &self,
        passkey: &DevelopmentPasskey,
        act: Digest,
    ) -> Result<Assertion, DrillError> {
        Ok(passkey.assert(act, self.rp_id()?, self.origin()?)?)
    }

    /// The ledger's word that the account was debited, under a new entry.
    pub(crate) fn debited(
        &self,
        act: &Act,
        mut evidence: Evidence,
    ) -> Result<Evidence, DrillError> {
        let entry = LedgerEntryId(self.cast.machine.random.array());
        let debit = self.cast.ledger.debit(act.digest(), entry, act.expires)?;
        evidence.attestations.push(debit);
        Ok(evidence)
    }

    /// What a customer proves an act by before the epoch: an assertion, or a code.
    pub(crate) fn proof(&self, customer: &Customer, act: &Act) -> Result<Evidence, DrillError> {
        if let Some(app) = &customer.app {
            return self.by_code(app, &self.digits(app), act.digest());
        }
        Ok(Evidence {
            assertions: vec![self.assert(&customer.passkey, act.digest())?],
            ..Evidence::default()
        })
    }

    /// Everything that an honest withdrawal has.
    pub(crate) fn full_evidence(
        &self,
        passkey: &DevelopmentPasskey,
        act: &Act,
    ) -> Result<Evidence, DrillError> {
        let assertions = vec![self.assert(passkey, act.digest())?];
        self.debited(
            act,
            Evidence {
                assertions,
                ..Evidence::default()
            },
        )
    }

    /// The same evidence as the gate keeps it: with the back end's signature over the request.
    pub(crate) fn as_received(
        &self,
        act: &Act,
        mut evidence: Evidence,
    ) -> Result<Evidence, DrillError> {
        let unsigned = Unsigned {
            method: "POST",
            authority: self.cast.gate.endpoint().authority(),
            target: "/v1/acts",
            body: &[],
            act: Some(act.digest()),
        };
        let random = self.cast.machine.random.as_ref();
        let signed = self
            .cast
            .back_end
            .signer
            .sign(&unsigned, self.now(), random);
        let signed = signed.map_err(portcullis_client::GateError::from)?;
        evidence.requests.push(signed.evidence());
        Ok(evidence)
    }

    /// Relay an act, signed by the back end. A gate that says "later" is asked again.
    pub(crate) fn relay(&self, act: &Act, evidence: &Evidence) -> Answer {
        self.send(&self.cast.back_end, act, evidence)
    }

    /// Send an act as somebody.
    pub(crate) fn send(&self, sender: &Member, act: &Act, evidence: &Evidence) -> Answer {
        let answer = patient(|| self.cast.gate.submit(&sender.signer, act, evidence).into());
        if answer == Answer::Batched {
            self.batched().push(act.digest());
        }
        answer
    }

    /// Whether anybody has still to wait for such acts.
    pub(crate) fn has_batched(&self) -> bool {
        !self.batched().is_empty()
    }

    /// Until each act that was to be paid with others is, but for what a suspension holds.
    pub(crate) fn until_batched(&self) -> Result<(), DrillError> {
        let open = std::mem::take(&mut *self.batched());
        open.into_iter()
            .try_for_each(|act| self.paid_with_others(act).map(drop))
    }

    /// What an act came to that was to be paid with others.
    pub(crate) fn paid_with_others(&self, act: Digest) -> Result<Answer, DrillError> {
        until("a withdrawal's batch", || {
            let standing = self.cast.gate.act(&self.cast.back_end.signer, act)?;
            Ok(standing.and_then(|standing| came_to(&standing)))
        })
    }

    fn batched(&self) -> MutexGuard<'_, Vec<Digest>> {
        self.batched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Relay an act once more, under an idempotency key of its own, so that the gate does not take it
    /// for a repetition of the same request. Taken again, it has to be under another entry than before.
    pub(crate) fn relay_anew(&self, act: &Act, evidence: &Evidence) -> Result<Answer, DrillError> {
        let key: [u8; 16] = self.cast.machine.random.array();
        let (gate, signer) = (&self.cast.gate, &self.cast.back_end.signer);
        let entry = Cell::new(None);
        let answer = patient(|| {
            let answer = gate.submit_under(signer, act, evidence, hex::encode(key));
            entry.set(answer.as_ref().ok().map(|accepted| accepted.entry));
            answer.into()
        });
        let standing = gate.act(signer, act.digest())?;
        let first = standing.and_then(|standing| standing.entries.first().copied());
        let is_first = entry.get().is_some() && entry.get() == first;
        Ok(if is_first { Answer::Again } else { answer })
    }

    /// Add evidence to an act that waits.
    pub(crate) fn supplement(&self, act: Digest, evidence: &Evidence) -> Answer {
        let signer = &self.cast.back_end.signer;
        patient(|| self.cast.gate.supplement(signer, act, evidence).into())
    }

    /// Open a customer's account, on onboarding's word, with its mail address sealed to the herald, and so
    /// the seed of its app where it has one.
    pub(crate) fn open(&self, customer: &Customer) -> Result<Answer, DrillError> {
        let contact = self.contact(customer)?;
        let app = customer.app.as_ref();
        let app = app.map(|app| self.app_factor(customer, app)).transpose()?;
        let (factor, seed) = match app {
            Some((factor, seed)) => (factor, Some(seed)),
            None => (customer.passkey.factor(self.rp_id()?), None),
        };
        let kind = ActKind::OpenAccount(OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor,
            delay: None,
            contact: Some(contact.commitment()),
            imported: None,
        });
        let answer = self.onboard(customer, kind, &self.cast.onboarding)?;
        let (gate, signer) = (&self.cast.gate, &self.cast.back_end.signer);
        for envelope in core::iter::once(&contact).chain(&seed) {
            gate.send_envelope(signer, customer.account, envelope)?;
        }
        Ok(answer)
    }

    fn contact(&self, customer: &Customer) -> Result<Envelope, DrillError> {
        let contact = Contact {
            reach: Reach::Mail(customer.mail()),
            language: "en".into(),
            code: customer.code.clone(),
        };
        let random = self.cast.machine.random.as_ref();
        let sealed = seal(&contact, &self.cast.network, customer.account, random);
        sealed.map_err(|error| DrillError::Network(error.to_string()))
    }

    /// Enrol a customer's new passkey after the epoch, on the word of an issuer.
    pub(crate) fn enrol_again(
        &self,
        customer: &Customer,
        issuer: &Issuer,
    ) -> Result<Answer, DrillError> {
        let kind = ActKind::EnrolFactor(EnrolFactor {
            principal: customer.principal,
            factor: customer.renewed.factor(self.rp_id()?),
        });
        self.onboard(customer, kind, issuer)
    }

    fn onboard(
        &self,
        customer: &Customer,
        kind: ActKind,
        issuer: &Issuer,
    ) -> Result<Answer, DrillError> {
        let back_end = self.cast.back_end.principal;
        let act = self
            .draft()?
            .by_staff(back_end, Some(customer.account), kind);
        let attestations = vec![issuer.onboarding(act.digest(), act.expires)?];
        let evidence = Evidence {
            attestations,
            ..Evidence::default()
        };
        Ok(self.relay(&act, &evidence))
    }

    /// Put an address into a customer's book.
    pub(crate) fn add_address(
        &self,
        customer: &Customer,
        address: Address,
    ) -> Result<Answer, DrillError> {
        let act = self.act_of(customer, ActKind::AddAddress(AddAddress { address }))?;
        let evidence = self.proof(customer, &act)?;
        self.ask(&act, &evidence)
    }

    /// Support does something to a customer's account, on the phone with it.
    pub(crate) fn support(&self, customer: &Customer, kind: ActKind) -> Result<Answer, DrillError> {
        let (_, answer) = self.staff_on(&self.cast.support, Some(customer.account), kind)?;
        Ok(answer)
    }

    /// A member of staff's own act, sent to the gate.
    pub(crate) fn staff(
        &self,
        who: &Member,
        kind: ActKind,
    ) -> Result<(Digest, Answer), DrillError> {
        self.staff_on(who, None, kind)
    }

    /// The same about an account.
    pub(crate) fn staff_on(
        &self,
        who: &Member,
        account: Option<AccountId>,
        kind: ActKind,
    ) -> Result<(Digest, Answer), DrillError> {
        let act = self.draft()?.by_staff(who.principal, account, kind);
        Ok((act.digest(), self.send(who, &act, &Evidence::default())))
    }
}

/// What became of an act that waits for nobody's doing; nothing yet where it still waits.
pub(crate) fn came_to(standing: &Standing) -> Option<Answer> {
    match (standing.stage.as_str(), standing.reason) {
        // A suspension, or a limit that those before it in its batch have used up.
        ("held", _)
            if standing
                .needs
                .iter()
                .any(|need| matches!(need, Need::Lift | Need::Room)) =>
        {
            Some(Answer::Held)
        }
        // Why an act ended is read from its entry, which is on the disk a moment later.
        ("held", _) | ("returned" | "refused", None) => None,
        ("returned" | "refused", Some(reason)) => Some(Answer::Refused(reason)),
        _ => Some(Answer::Released),
    }
}

/// Ask again while the gate says that the same may pass in a moment: what is about the gate and not about
/// the act. Among it the same act's being worked on, which whoever sent it at the same time brings about.
fn patient(ask: impl Fn() -> Answer) -> Answer {
    let passes = |answer: &Answer| {
        let reason = answer.reason();
        reason.is_some_and(|reason| reason.number() >= 900 && reason.retry() == Retry::Later)
    };
    let mut answer = ask();
    for _ in 0..TRIES {
        if !passes(&answer) {
            break;
        }
        sleep(LATER);
        answer = ask();
    }
    answer
}
