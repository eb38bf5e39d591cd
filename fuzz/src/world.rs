//! The one network that targets speak of, made once.

use portcullis_core::State;
use portcullis_core::act::Scope;
use portcullis_core::board::Posting;
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use std::sync::{Arc, OnceLock};

/// A network with all its keys.
pub(crate) fn world() -> &'static Arc<World> {
    static WORLD: OnceLock<Arc<World>> = OnceLock::new();
    WORLD.get_or_init(|| Arc::new(World::new()))
}

/// A journal with an account, an address and a few withdrawals, cosigned.
pub(crate) fn journal() -> &'static (Vec<Vec<u8>>, Vec<u8>) {
    static JOURNAL: OnceLock<(Vec<Vec<u8>>, Vec<u8>)> = OnceLock::new();
    JOURNAL.get_or_init(|| {
        let ledger = ledger();
        (ledger.entries.clone(), ledger.note.clone())
    })
}

/// The state after [`journal`].
pub(crate) fn state() -> &'static State {
    static STATE: OnceLock<State> = OnceLock::new();
    STATE.get_or_init(|| ledger().state)
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(Arc::clone(world()), HandClock::at(World::START));
    let customer = Customer::number(1);
    ledger.open(&customer);
    ledger.add_address(&customer, World::address(10));
    for amount in [5, 700] {
        ledger.withdraw(&customer, World::address(10), amount);
    }
    ledger.cosign();
    ledger
}

/// A suspension as it is posted to a stop board.
pub(crate) fn posting() -> Posting {
    let mut ledger = ledger();
    let (act, evidence) = ledger.suspension(Scope::Withdrawals);
    Posting { act, evidence }
}
