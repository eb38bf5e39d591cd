//! Makes the networks that drills play on: development networks under a drill's own terms.

use crate::failure::Failure;
use crate::folder::Folder;
use crate::init::{self, Asset, Bitcoin, Cap, Terms, Wishes};
use crate::reach::{CallerArgs, Reach, ReachArgs};
use portcullis_core::genesis::IssuerKind;
use portcullis_drill::{Cast, Configs, Founder, Member, Wish};

/// As `init --development` makes them.
pub(super) struct Development;

impl Founder for Development {
    fn found(&self, wish: &Wish) -> Result<Cast, String> {
        found(wish).map_err(|failure| failure.what().to_owned())
    }
}

fn found(wish: &Wish) -> Result<Cast, Failure> {
    let caps = wish.caps.iter().map(|cap| Cap {
        asset: cap.asset,
        per_transaction: cap.per_transaction,
        day: cap.day,
    });
    let terms = Terms {
        delay_floor: wish.delay,
        limits: wish.limits.clone(),
        caps: caps.collect(),
        enrolments_per_day: Some(wish.enrolments_per_day),
        webhook: Some(wish.webhook.clone()),
        by_code: true,
    };
    let chain = (wish.chain, wish.node.as_str());
    let assets = wish.caps.iter().map(|cap| Asset {
        id: cap.asset,
        decimals: cap.decimals,
    });
    let coins = Bitcoin::by_default(&wish.coins.node, &wish.coins.credentials, wish.coins.batch);
    let wishes = Wishes::with_mail(chain, assets.collect(), wish.mail).and_coins(coins);
    init::network(&wish.folder, &wishes, &terms)?;
    let reach = ReachArgs::folder(&wish.folder, Some(&wish.clock)).open()?;
    cast(&reach, &Folder(wish.folder.clone()))
}

fn cast(reach: &Reach, folder: &Folder) -> Result<Cast, Failure> {
    let board = reach.boards.first().cloned();
    let none = || Failure::usage("a development network has a stop board", "");
    let administrators = init::ADMINISTRATORS.iter().map(|name| member(reach, name));
    Ok(Cast {
        network: reach.network.clone(),
        gate: reach.gate.clone(),
        board: board.ok_or_else(none)?,
        machine: reach.machine.clone(),
        back_end: member(reach, "back-end")?,
        operator: member(reach, "operator")?,
        support: member(reach, "support")?,
        administrators: administrators.collect::<Result<_, _>>()?,
        onboarding: reach.issuer("onboarding", IssuerKind::Onboarding)?,
        ledger: reach.issuer("ledger", IssuerKind::Ledger)?,
        configs: Configs {
            witness: folder.file(Folder::WITNESS),
            gate: folder.file(Folder::GATE),
            signer: folder.file(Folder::SIGNER),
            herald: folder.file(Folder::HERALD),
            journal: folder.file(Folder::JOURNAL),
        },
    })
}

fn member(reach: &Reach, name: &str) -> Result<Member, Failure> {
    let caller = CallerArgs::named(name).required(reach)?;
    Ok(Member {
        signer: caller.signer,
        principal: caller.principal,
    })
}
