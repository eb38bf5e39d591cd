//! Many at once: a fixed number of hands takes things from one pile, in order.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many requests are under way at once.
pub(crate) const HANDS: usize = 16;

/// Do something with each of many, so many at once; each hand has tools of its own. The answers come
/// in the order of the things, whatever the order in which they were done.
pub(crate) fn crowd<T: Sync, R: Send, C>(
    things: &[T],
    hands: usize,
    tools: impl Fn() -> C + Sync,
    work: impl Fn(&C, &T) -> R + Sync,
) -> Vec<R> {
    let (next, done) = (
        AtomicUsize::new(0),
        Mutex::new(Vec::with_capacity(things.len())),
    );
    thread::scope(|scope| {
        for _ in 0..hands.min(things.len()) {
            scope.spawn(|| {
                let tools = tools();
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(thing) = things.get(place) else {
                        break;
                    };
                    let answer = work(&tools, thing);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((place, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order() {
        let things: Vec<u32> = (0..1000).collect();
        let doubled = crowd(&things, 8, || (), |(), thing| thing * 2);
        assert_eq!(
            doubled,
            things.iter().map(|thing| thing * 2).collect::<Vec<_>>()
        );
        assert!(crowd(&things[..0], 8, || (), |(), thing| *thing).is_empty());
    }
}
