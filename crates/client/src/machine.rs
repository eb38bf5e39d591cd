//! What a client reaches of the machine that it runs on.

use portcullis_host::{Clock, Http, Random, SystemClock, SystemRandom, Web};
use std::sync::Arc;

/// Time, randomness and the way out, as values.
#[derive(Clone)]
pub struct Machine {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The way out.
    pub http: Arc<dyn Http>,
}

impl Machine {
    /// The real one.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            http: Arc::new(Web::new()),
        }
    }
}
