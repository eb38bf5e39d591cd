//! A gate with a journal, and a machine beside it.

use portcullis_core::{Span, State};
use portcullis_keeper::follow::Follower;
use portcullis_keeper::testkit::{
    CrashDisk, Customer, HandClock, Ledger, Net, Wire, World, machine,
};
use portcullis_keeper::{Keeper, KeeperParts, Machine};
use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

pub(crate) const PAYEE: portcullis_chains::Address = World::address(0x0a);

pub(crate) struct Gate {
    pub(crate) clock: HandClock,
    pub(crate) disk: CrashDisk,
    pub(crate) net: Net,
    pub(crate) customer: Customer,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::new()), clock.clone());
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, PAYEE);
        Self {
            clock,
            disk: CrashDisk::default(),
            net: Net::around(ledger),
            customer,
        }
    }

    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.net.wire()
    }

    pub(crate) fn machine(&self) -> Machine {
        machine(&self.clock, &self.disk, &self.net)
    }

    pub(crate) fn second(&self) {
        self.clock.pass(Span::seconds(1));
    }

    pub(crate) fn withdraw(&self, amount: u128) {
        self.wire().ledger.withdraw(&self.customer, PAYEE, amount);
    }

    pub(crate) fn follower(&self) -> Follower {
        let network = self.wire().ledger.world.network.clone();
        let state = State::new(network);
        Follower::new(
            self.machine(),
            "http://gate".into(),
            state,
            None,
            Arc::default(),
        )
    }

    pub(crate) fn keeper(&self) -> Keeper {
        self.keeper_that_reads(|_| true)
    }

    pub(crate) fn keeper_that_reads(&self, reads: fn(&[u8]) -> bool) -> Keeper {
        let world = self.wire().ledger.world.clone();
        let parts = KeeperParts {
            machine: self.machine(),
            network: world.network.clone(),
            id: World::KEEPER,
            gate: "http://gate".into(),
            boards: BTreeMap::from([(World::BOARD, "http://board".into())]),
            key: world.keeper.clone(),
            reads,
        };
        Keeper::open(parts, None).unwrap()
    }
}
