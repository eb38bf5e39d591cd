//! The one seam for randomness.

/// Gives bytes that nobody can guess.
pub trait Random: Send + Sync {
    /// Fill the buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// Ends the process where the system has no randomness: there is nothing safe to go on with.
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}

impl dyn Random + '_ {
    /// A random array.
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
