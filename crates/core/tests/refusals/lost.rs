//! 53x: recoveries and rotations.

use super::{Fault, Row, row};
use crate::stage::lost::{DELAY, ROOTS};
use crate::stage::{STRANGER, SUPPORT, Stage, add};
use portcullis_core::act::{ActKind, Keys, RecoverAdministrators, Rotate, Veto as VetoAct};
use portcullis_core::{Act, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::RecoveryWaits, "another one waits", attested, Later(another_waits)),
        row(R::RecoveredLately, "no new address so soon", adding_long_after, Later(recovered)),
        row(R::RecoveryBudget, "the agent's is used up", by_support, Later(|stage, _, _| used_up(stage))),
        row(R::IdentityMissing, "the back end by itself", attested, Later(|_, _, evidence| evidence.attestations.clear())),
        row(R::AlreadyVetoed, "one administrator twice", vetoing, Later(vetoed)),
        row(R::RootsMissing, "one root of two", administrators, Later(|_, _, evidence| evidence.attestations.truncate(1))),
        row(R::AdministrationChanged, "made for another", administrators, Asks(|_, act| new(act).replaces = Digest([7; 32]))),
        row(R::AdministrationMalformed, "nobody", administrators, Asks(|_, act| new(act).administrators.clear())),
        row(R::KeysChanged, "rotated meanwhile", rotating, Later(rotated)),
        row(R::KeysMalformed, "no issuer at all", rotating, Asks(|_, act| issuers(act).clear())),
        row(R::LogKeyKnown, "a rotation of nothing", rotating_log, Asks(|stage, act| stage.state().log_vkey().clone_into(log_vkey(act)))),
        row(R::FactorsRemain, "a passkey enrols the next by itself", attested, Asks(by_the_passkey)),
    ]
}

fn attested(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    stage.recovery_by(World::BACK_END)
}

fn by_support(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    stage.recovery_by(SUPPORT)
}

fn adding_long_after(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    stage.customers(add(STRANGER))
}

fn vetoing(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    let administration = stage.new_administration(&[0x31], 1);
    let act = stage.begin_administrators(administration);
    stage.staffs(World::administrator(0), ActKind::Veto(VetoAct { act }))
}

fn administrators(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    let kind = ActKind::RecoverAdministrators(stage.new_administration(&ROOTS, 2));
    stage.staffs(SUPPORT, kind)
}

fn rotating(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    let issuers = stage.state().issuers().to_vec();
    let in_force = Keys::Issuers { issuers };
    let replaces = in_force.digest();
    let keys = without_the_last(in_force);
    let kind = ActKind::Rotate(Rotate { replaces, keys });
    stage.staffs(World::administrator(0), kind)
}

fn rotating_log(stage: &mut Stage) -> Act {
    *stage = Stage::lost();
    let keys = World::log_keys(0x81);
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    let kind = ActKind::Rotate(Rotate { replaces, keys });
    stage.staffs(World::administrator(0), kind)
}

fn log_vkey(act: &mut Act) -> &mut String {
    match &mut act.kind {
        ActKind::Rotate(Rotate {
            keys: Keys::Log { vkey },
            ..
        }) => vkey,
        _ => unreachable!(),
    }
}

fn without_the_last(mut keys: Keys) -> Keys {
    if let Keys::Issuers { issuers } = &mut keys {
        issuers.pop();
    }
    keys
}

fn new(act: &mut Act) -> &mut RecoverAdministrators {
    match &mut act.kind {
        ActKind::RecoverAdministrators(new) => new,
        _ => unreachable!(),
    }
}

fn issuers(act: &mut Act) -> &mut Vec<portcullis_core::genesis::Issuer> {
    match &mut act.kind {
        ActKind::Rotate(Rotate {
            keys: Keys::Issuers { issuers },
            ..
        }) => issuers,
        _ => unreachable!(),
    }
}

fn another_waits(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    stage.begin();
}

fn recovered(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    let recovery = stage.begin();
    stage.pass(DELAY);
    stage.settle(recovery);
    stage.pass(Span::seconds(1));
    *evidence = stage.prove(act);
}

fn used_up(stage: &mut Stage) {
    for _ in 0..2 {
        let act = stage.recovery_by(SUPPORT);
        let act = stage.submit(act);
        let veto = stage.veto(act);
        stage.submit(veto);
    }
}

fn vetoed(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let kind = act.kind.clone();
    let before = stage.staffs(act.principal, kind);
    stage.submit(before);
}

fn rotated(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    stage.propose(act.kind.clone());
    *evidence = stage.prove(act);
}

fn by_the_passkey(stage: &mut Stage, act: &mut Act) {
    *act = stage.customers(act.kind.clone());
}
