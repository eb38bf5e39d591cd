//! Places of which each has so many, whatever others take.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// How many places each has taken.
type Taken<K> = Arc<Mutex<HashMap<K, usize>>>;

/// Places of which each has the same number.
#[derive(Debug)]
pub struct Shares<K> {
    taken: Taken<K>,
    each: usize,
}

/// One of somebody's places; given back when it is dropped.
#[derive(Debug)]
pub struct Share<K: Eq + Hash> {
    taken: Taken<K>,
    of: K,
}

impl<K: Copy + Eq + Hash> Shares<K> {
    /// So many for each.
    #[must_use]
    pub fn new(each: usize) -> Self {
        let taken = Taken::default();
        Self { taken, each }
    }

    /// One of this one's places, if any is left.
    #[must_use]
    pub fn take(&self, of: K) -> Option<Share<K>> {
        let mut all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(of).or_insert(0);
        if *taken >= self.each {
            return None;
        }
        *taken += 1;
        let taken = Arc::clone(&self.taken);
        Some(Share { taken, of })
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut all = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = all.get_mut(&self.of) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_takes_is_nobody_elses() {
        let shares = Shares::new(2);
        let held = [shares.take('a'), shares.take('a')];
        assert!(held.iter().all(Option::is_some));
        assert!(shares.take('a').is_none());
        assert!(shares.take('b').is_some());
        drop(held);
        assert!(shares.take('a').is_some());
        assert!(shares.taken.lock().is_ok_and(|all| all.is_empty()));
    }
}
