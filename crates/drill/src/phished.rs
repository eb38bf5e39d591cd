//! What somebody gets who has an app owner's password and has talked a code out of it: the design's own row,
//! "ask for a new address; small withdrawals to old addresses".

use crate::answer::Answer;
use crate::app::App;
use crate::error::DrillError;
use crate::money::ETH;
use crate::people::Customer;
use crate::platform::Platform;
use crate::story::Scene;
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_client::Digits;
use portcullis_core::act::{ActKind, AddAddress, CancelAddress};
use portcullis_core::{Reason, Span};

/// A step of TOTP, and so how long one waits for other digits.
const STEP: Span = Span::seconds(30);

/// Try all of it against one customer, who is told and takes the address back.
pub(crate) fn probe(scene: &mut Scene<'_>, thief: Address) -> Result<(), DrillError> {
    let none = || DrillError::Network("nobody in this town has an app".into());
    let town = scene.town;
    let customer = town.app_owners().last().ok_or_else(none)?;
    let app = customer.app.as_ref().ok_or_else(none)?;
    let phished = Phished {
        platform: &scene.stage.platform,
        customer,
        app,
        digits: scene.stage.platform.digits(app),
    };
    let to = |address, wei| phished.platform.withdraw(address, ETH.much(Amount(wei)));
    let add = ActKind::AddAddress(AddAddress { address: thief });
    let tried = [
        phished.try_out(to(customer.address, ETH.by_code.0 + 1))?,
        phished.try_out(to(thief, 1))?,
        phished.try_out(add)?,
        phished.try_out(to(customer.address, 1))?,
        phished.try_out(to(thief, 1))?,
    ];
    scene
        .stage
        .mail
        .until_told(&customer.mail(), &thief.to_string())?;
    scene.stage.nudge(STEP)?;
    let back = take_back(&scene.stage.platform, customer, thief)?;
    let [large, unknown, added, again, young] = tried;
    let checks = &mut scene.checks;
    let mut refused = |name: &str, answer: &Answer, reason| {
        checks.refused(&format!("a phished code: {name}"), answer, reason);
    };
    refused("more than a code lets out", &large, Reason::OverCodeLimit);
    refused(
        "to an address that is not in the book",
        &unknown,
        Reason::AddressUnknown,
    );
    refused("the same digits once more", &again, Reason::CodeWrong);
    refused(
        "to the address that it added",
        &young,
        Reason::AddressTooYoung,
    );
    let mut released = |name: &str, answer: &Answer| {
        checks.same(
            &format!("a phished code: {name}"),
            &answer.text(),
            &Answer::Released.text(),
        );
    };
    released("adds an address, of which its owner is told", &added);
    released("its owner takes the address back", &back);
    Ok(())
}

/// Digits of somebody else.
struct Phished<'a> {
    platform: &'a Platform,
    customer: &'a Customer,
    app: &'a App,
    digits: Digits,
}

impl Phished<'_> {
    fn try_out(&self, kind: ActKind) -> Result<Answer, DrillError> {
        let act = self.platform.act_of(self.customer, kind)?;
        let evidence = self
            .platform
            .by_code(self.app, &self.digits, act.digest())?;
        self.platform.ask(&act, &evidence)
    }
}

/// By the next digits of the app, with which somebody can stop things and nothing more.
fn take_back(
    platform: &Platform,
    customer: &Customer,
    address: Address,
) -> Result<Answer, DrillError> {
    let act = platform.act_of(customer, ActKind::CancelAddress(CancelAddress { address }))?;
    let evidence = platform.proof(customer, &act)?;
    platform.ask(&act, &evidence)
}
