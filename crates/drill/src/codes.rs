//! Attacked customers who have an authenticator app and no passkey: what somebody gets of them who has the
//! platform's API, and who guesses, overhears, or talks somebody out of a code. The design's own row: "ask for a
//! new address; small withdrawals to old addresses".

use crate::answer::Answer;
use crate::api::{
    CODE_GUESSED, CODE_GUESSED_ON, CODE_LARGE, CODE_OLD, CODE_OTHER_ACT, CODE_OTHERS,
    CODE_OTHERS_APP, CODE_SPENT, CODE_STRANGER, CODE_YOUNG,
};
use crate::app::App;
use crate::attack::{Job, On, Tried, Way};
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::money::ETH;
use crate::people::{Customer, Town};
use crate::platform::Platform;
use crate::stage::Stage;
use crate::story::Scene;
use portcullis_chains::caip::Address;
use portcullis_client::Digits;
use portcullis_core::act::{Act, ActKind, CancelAddress};
use portcullis_core::{Evidence, Span};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// Wrong codes are counted by days of UTC: where one ends within the hour, let it.
pub(crate) fn clear_of_midnight(stage: &mut Stage) -> Result<(), DrillError> {
    if stage.now().0 % DAY < DAY - HOUR {
        return Ok(());
    }
    stage.jump(Span(HOUR))
}

/// An attacked customer with an app, and what is tried on it.
struct Siege<'a> {
    customer: &'a Customer,
    app: &'a App,
    /// Somebody else who has one.
    other: (&'a Customer, &'a App),
    jobs: Vec<&'a Job>,
}

/// Whoever is attacked so, with what is tried on each.
fn sieges<'a>(town: &'a Town, jobs: &'a [Job]) -> Result<Vec<Siege<'a>>, DrillError> {
    let none = || DrillError::Network("nobody in this town has an app".into());
    let other = town.app_owners().next().ok_or_else(none)?;
    let other_app = other.app.as_ref().ok_or_else(none)?;
    let attacked = town.attacked_apps().filter_map(|(at, victim)| {
        let jobs = jobs.iter().filter(|job| job.victim == at && is_ours(job));
        Some(Siege {
            customer: &victim.customer,
            app: victim.customer.app.as_ref()?,
            other: (other, other_app),
            jobs: jobs.collect(),
        })
    });
    Ok(attacked.collect())
}

/// Whether a withdrawal is tried here, in an order of its own: codes are counted.
pub(crate) fn is_ours(job: &Job) -> bool {
    job.way.on == On::Little || job.way == CODE_LARGE
}

/// Every attacked app owner is talked out of one code: it pays nothing to a stranger and nothing large, it adds an address, which it
/// does not pay either, and it serves no second time. The customers are told, and take the address back.
pub(crate) fn talk_out(scene: &mut Scene<'_>, jobs: &[Job]) -> Result<Vec<Tried>, DrillError> {
    let sieges = sieges(scene.town, jobs)?;
    let stage = &*scene.stage;
    let talk = |platform: &Platform, siege: &Siege<'_>| siege.talk_out(platform);
    let talked = crowd(&sieges, HANDS, || stage.platform.anew(), talk);
    let talked: Vec<Talked> = talked.into_iter().collect::<Result<_, _>>()?;
    for (siege, talked) in sieges.iter().zip(&talked) {
        let address = talked.address.to_string();
        stage.mail.until_told(&siege.customer.mail(), &address)?;
    }
    let added = talked.iter().map(|talked| &talked.added);
    let added = count_released(added);
    let places: Vec<(&Customer, Address)> = sieges
        .iter()
        .zip(&talked)
        .map(|(siege, talked)| (siege.customer, talked.address))
        .collect();
    let taken_back = take_back(scene.stage, &places)?;
    let checks = &mut scene.checks;
    checks.same(
        "a talked-out code: adds an address, of which its owner is told",
        &added,
        &sieges.len(),
    );
    checks.same(
        "a talked-out code: its owner takes the address back by the next",
        &taken_back,
        &sieges.len(),
    );
    Ok(talked.into_iter().flat_map(|talked| talked.tried).collect())
}

/// Guess, overhear and mistake codes of every attacked app, one after the other, until the day's are used up.
pub(crate) fn besiege(scene: &mut Scene<'_>, jobs: &[Job]) -> Result<Vec<Tried>, DrillError> {
    let sieges = sieges(scene.town, jobs)?;
    let stage = &*scene.stage;
    let lay = |platform: &Platform, siege: &Siege<'_>| siege.guess(platform);
    let tried = crowd(&sieges, HANDS, || stage.platform.anew(), lay);
    let tried: Vec<Vec<Tried>> = tried.into_iter().collect::<Result<_, _>>()?;
    Ok(tried.into_iter().flatten().collect())
}

/// By the next digits of their apps customers take an address back each. Gives how many could.
pub(crate) fn take_back(
    stage: &mut Stage,
    places: &[(&Customer, Address)],
) -> Result<usize, DrillError> {
    stage.next_code()?;
    let take = |platform: &Platform, (customer, address): &(&Customer, Address)| {
        let address = *address;
        let kind = ActKind::CancelAddress(CancelAddress { address });
        let act = platform.act_of(customer, kind)?;
        platform.ask(&act, &platform.proof(customer, &act)?)
    };
    let answers = crowd(places, HANDS, || stage.platform.anew(), take);
    let answers: Vec<Answer> = answers.into_iter().collect::<Result<_, DrillError>>()?;
    Ok(count_released(answers.iter()))
}

fn count_released<'a>(answers: impl Iterator<Item = &'a Answer>) -> usize {
    answers
        .filter(|answer| **answer == Answer::Released)
        .count()
}

/// What a talked-out code came to.
struct Talked {
    tried: Vec<Tried>,
    address: Address,
    added: Answer,
}

impl Siege<'_> {
    fn job(&self, way: &Way) -> Result<&Job, DrillError> {
        let none = || DrillError::Network(format!("nothing is tried of: {}", way.name));
        let mut jobs = self.jobs.iter();
        let job = jobs.find(|job| job.way == *way).ok_or_else(none)?;
        Ok(job)
    }

    fn talk_out(&self, platform: &Platform) -> Result<Talked, DrillError> {
        let digits = platform.digits(self.app);
        let own = |job: &Job| self.customer.address(job.slice.money.asset);
        let (stranger, young, spent) = (
            self.job(&CODE_STRANGER)?,
            self.job(&CODE_YOUNG)?,
            self.job(&CODE_SPENT)?,
        );
        let (thief, address) = (stranger.slice.thief, young.slice.thief);
        let mut tried = vec![self.pay(platform, stranger, thief, &digits)?];
        for large in self.jobs.iter().filter(|job| job.way == CODE_LARGE) {
            tried.push(self.pay(platform, large, own(large), &digits)?);
        }
        let added = platform.add_address(self.customer, address)?;
        tried.push(self.pay(platform, young, address, &digits)?);
        tried.push(self.pay(platform, spent, own(spent), &digits)?);
        Ok(Talked {
            tried,
            address,
            added,
        })
    }

    fn guess(&self, platform: &Platform) -> Result<Vec<Tried>, DrillError> {
        let own = self.customer.address(&ETH);
        let wrong = self.app.wrong(platform.now())?;
        let (other, other_app) = self.other;
        let digits = [
            (CODE_GUESSED, wrong.clone()),
            (CODE_OLD, self.app.earlier(platform.now())),
            (CODE_OTHERS, platform.digits(other_app)),
        ];
        let mut tried = Vec::new();
        for (way, digits) in digits {
            tried.push(self.pay(platform, self.job(&way)?, own, &digits)?);
        }
        let harmless = platform.act_of(self.customer, ActKind::Freeze)?;
        let given = platform.proof(self.customer, &harmless)?;
        tried.push(self.bring(platform, self.job(&CODE_OTHER_ACT)?, own, |_| {
            Ok(given.clone())
        })?);
        tried.push(
            self.bring(platform, self.job(&CODE_OTHERS_APP)?, own, |act| {
                platform.proof(other, act)
            })?,
        );
        tried.push(self.pay(platform, self.job(&CODE_GUESSED_ON)?, own, &wrong)?);
        Ok(tried)
    }

    /// Try a withdrawal by digits that are sealed for it.
    fn pay(
        &self,
        platform: &Platform,
        job: &Job,
        to: Address,
        digits: &Digits,
    ) -> Result<Tried, DrillError> {
        self.bring(platform, job, to, |act| {
            platform.by_code(self.app, digits, act.digest())
        })
    }

    /// Try it by whatever is brought for it, with the ledger's debit.
    fn bring(
        &self,
        platform: &Platform,
        job: &Job,
        to: Address,
        proof: impl FnOnce(&Act) -> Result<Evidence, DrillError>,
    ) -> Result<Tried, DrillError> {
        let act = platform.act_of(self.customer, job.slice.money.paid_to(to))?;
        let evidence = platform.debited(&act, proof(&act)?)?;
        Ok(Tried::of(job, platform.ask(&act, &evidence)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::api::WAYS;
    use crate::attack::On;
    use crate::people::LITTLE;

    #[test]
    fn every_way_of_codes_is_tried_on_every_app() {
        let ways = WAYS.iter().filter(|way| way.on == On::Little);
        assert_eq!(ways.count(), LITTLE);
    }
}
