//! Randomness that comes in as a value, for a library that asks a generator.

use hpke::rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// Hands out bytes from whoever has them.
pub(crate) struct Given<'a>(pub(crate) &'a mut dyn FnMut(&mut [u8]));

impl TryRng for Given<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Given<'_> {}
