//! What a guess at the passphrase costs.

use std::fmt;

/// The parameters of Argon2id (RFC 9106), within bounds that a hostile file cannot leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Parameters out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cost {memory_kib} KiB × {passes} passes × {lanes} lanes is out of bounds: 64 KiB to 256 MiB, 1 to 10 passes, 1 to 4 lanes"
)]
pub struct CostError {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 64 MiB, three passes, one lane: the second choice that RFC 9106 recommends, on one lane.
    pub const PRODUCTION: Self = Self {
        memory_kib: 64 << 10,
        passes: 3,
        lanes: 1,
    };

    /// 64 KiB, one pass: instant, and worth nothing against a guesser. For development and tests.
    pub const DEVELOPMENT: Self = Self {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };

    /// Checks the bounds, so that opening a file costs at most 256 MiB and seconds.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        let bounded = matches!(memory_kib, 64..=262_144)
            && matches!(passes, 1..=10)
            && matches!(lanes, 1..=4);
        if bounded {
            Ok(Self {
                memory_kib,
                passes,
                lanes,
            })
        } else {
            Err(CostError {
                memory_kib,
                passes,
                lanes,
            })
        }
    }

    /// Whether a guess costs at least as much as with [`Cost::PRODUCTION`], in memory and in all.
    #[must_use]
    pub fn is_fit_for_production(&self) -> bool {
        let work = |cost: &Self| u64::from(cost.memory_kib) * u64::from(cost.passes);
        self.memory_kib >= Self::PRODUCTION.memory_kib && work(self) >= work(&Self::PRODUCTION)
    }

    pub(super) fn params(self) -> Result<argon2::Params, argon2::Error> {
        argon2::Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
    }
}

/// As the file has it: `m=65536 t=3 p=1`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "m={} t={} p={}",
            self.memory_kib, self.passes, self.lanes
        )
    }
}
