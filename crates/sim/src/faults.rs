//! What goes wrong, and how often: one profile for each seed.

use crate::dice::Dice;
use crate::setting;

/// How a run is spoilt. Numbers are weights among each other, or per mille where they say so.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// Of a thousand turns, so many bring a fault.
    pub faults: u64,
    /// Crashes in the middle of disk operations, and kills.
    pub crashes: u64,
    /// Full and failing disks.
    pub disks: u64,
    /// Weather and partitions.
    pub network: u64,
    /// Clocks that step.
    pub clocks: u64,
    /// A witness and a board that lie.
    pub liars: u64,
    /// A node that lies, lags, hangs and forgets; blocks that are taken back.
    pub node: u64,
    /// A gate that is taken over.
    pub evil: u64,
    /// A gate that leaves stops out.
    pub withholding: u64,
    /// Somebody who shuts the signer.
    pub shut: u64,
    /// A mail server that is down, defers, loses its word or has a mailbox no more.
    pub mail: u64,
    /// A herald that lies.
    pub herald: u64,
    /// Of a thousand turns of people, so many are thieves'.
    pub thieves: u64,
}

const QUIET: Profile = Profile {
    name: "honest",
    faults: 0,
    crashes: 0,
    disks: 0,
    network: 0,
    clocks: 0,
    liars: 0,
    node: 0,
    evil: 0,
    withholding: 0,
    shut: 0,
    mail: 0,
    herald: 0,
    thieves: 250,
};

/// All profiles of the ground; a seed has that of its number.
pub const PROFILES: [Profile; 8] = [
    QUIET,
    Profile {
        name: "crashes",
        faults: 25,
        crashes: 10,
        disks: 3,
        ..QUIET
    },
    Profile {
        name: "network",
        faults: 20,
        network: 10,
        crashes: 1,
        ..QUIET
    },
    Profile {
        name: "byzantine gate",
        faults: 12,
        evil: 10,
        liars: 2,
        ..QUIET
    },
    Profile {
        name: "liars",
        faults: 35,
        liars: 10,
        withholding: 3,
        node: 4,
        shut: 1,
        ..QUIET
    },
    Profile {
        name: "clocks",
        faults: 20,
        clocks: 10,
        node: 3,
        ..QUIET
    },
    Profile {
        name: "everything",
        faults: 30,
        crashes: 6,
        disks: 3,
        network: 5,
        clocks: 3,
        liars: 3,
        node: 4,
        evil: 3,
        withholding: 1,
        shut: 1,
        ..QUIET
    },
    Profile {
        name: "withholding",
        faults: 10,
        withholding: 10,
        crashes: 2,
        network: 1,
        ..QUIET
    },
];

/// All profiles of the whole network. What a gate leaves out is the ground's matter; in its place the mail
/// fails.
pub const WHOLE: [Profile; 8] = [
    PROFILES[0],
    PROFILES[1],
    PROFILES[2],
    PROFILES[3],
    Profile {
        herald: 6,
        mail: 2,
        ..PROFILES[4]
    },
    PROFILES[5],
    Profile {
        herald: 2,
        mail: 3,
        ..PROFILES[6]
    },
    Profile {
        name: "mail",
        faults: 25,
        mail: 10,
        herald: 3,
        crashes: 2,
        network: 1,
        ..QUIET
    },
];

/// The profile of a seed.
#[must_use]
pub fn profile(seed: u64) -> Profile {
    let profiles = if setting::is_whole(seed) {
        WHOLE
    } else {
        PROFILES
    };
    let at = usize::try_from(seed % profiles.len() as u64).unwrap_or(0);
    profiles[at]
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process dies.
    Crash,
    /// A disk is full or fails.
    Disk,
    /// The network.
    Network,
    /// A clock steps.
    Clock,
    /// A witness or a board begins to lie or stops lying.
    Liar,
    /// The node.
    Node,
    /// The gate is taken over, or taken back.
    Evil,
    /// The gate leaves stops out, or no more.
    Withholding,
    /// `signer shut`.
    Shut,
    /// The mail server is otherwise.
    Mail,
    /// The herald begins to lie or stops lying.
    Herald,
}

impl Profile {
    /// The fault of this turn, if it has one.
    pub fn draw(&self, dice: &mut Dice) -> Option<Fault> {
        if !dice.chance(self.faults) {
            return None;
        }
        dice.weighed(&[
            (self.crashes, Fault::Crash),
            (self.disks, Fault::Disk),
            (self.network, Fault::Network),
            (self.clocks, Fault::Clock),
            (self.liars, Fault::Liar),
            (self.node, Fault::Node),
            (self.evil, Fault::Evil),
            (self.withholding, Fault::Withholding),
            (self.shut, Fault::Shut),
            (self.mail, Fault::Mail),
            (self.herald, Fault::Herald),
        ])
    }
}
