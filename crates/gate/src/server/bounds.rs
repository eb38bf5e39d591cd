//! What requests may take: a body has a time to come in, nobody has all places at work or all that read,
//! and answers on their way have so much memory together (docs/design/017).

use super::{MAX_BODY, Problem};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use portcullis_core::Reason;
use portcullis_core::id::PrincipalId;
use portcullis_host::listen::{Peer, Share, Shares};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long the body may take.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// Looks over the whole state at a time: the sequencer waits for those to write to it.
const LOOKS: usize = 2;
/// Requests of one principal that may wait for the sequencer.
const PER_PRINCIPAL: usize = 2048;
/// Requests of one peer that may wait for news: as many as any keeper needs. All together are bounded
/// by the connections, which is all that they hold.
const WAITING: usize = 256;
/// Requests that nobody signs and that read the disk: more wait in line.
const READING: usize = 16;
/// Those of one peer, in line or reading.
const IN_LINE: usize = 32;
/// Memory of all answers on their way that are more than the smallest, in KiB.
const ROOM: u32 = 128 << 10;
/// The smallest room of an answer, in KiB: one entry of any size fits.
const SMALLEST: u32 = 64;

/// Places at work.
#[derive(Debug)]
pub(super) struct Places {
    looks: Arc<Semaphore>,
    principals: Shares<PrincipalId>,
    waiting: Shares<Peer>,
    line: Shares<Peer>,
    reading: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

/// A place for reading the disk; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Reading {
    _in_line: Share<Peer>,
    _place: OwnedSemaphorePermit,
}

/// Memory for an answer.
#[derive(Debug)]
pub(super) struct Room {
    kib: u32,
    /// None for the smallest answers: there are no more of them than connections.
    taken: Option<OwnedSemaphorePermit>,
}

/// An answer, and its memory until the last byte has gone out.
struct Held {
    bytes: Vec<u8>,
    _taken: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            looks: Arc::new(Semaphore::new(LOOKS)),
            principals: Shares::new(PER_PRINCIPAL),
            waiting: Shares::new(WAITING),
            line: Shares::new(IN_LINE),
            reading: Arc::new(Semaphore::new(READING)),
            room: Arc::new(Semaphore::new(ROOM as usize)),
        }
    }
}

impl Places {
    /// A place for a look over the whole state. Whoever asks has it in turn: operators need it most
    /// while others flood.
    pub(super) async fn look(&self) -> Result<OwnedSemaphorePermit, Reason> {
        let looks = Arc::clone(&self.looks).acquire_owned();
        looks.await.map_err(|_| Reason::Stopping)
    }

    /// One of the principal's places.
    pub(super) fn of(&self, principal: PrincipalId) -> Result<Share<PrincipalId>, Reason> {
        self.principals.take(principal).ok_or(Reason::Busy)
    }

    /// One of the peer's places to wait for news. Whoever finds none is answered at once.
    pub(super) fn to_wait(&self, peer: Peer) -> Option<Share<Peer>> {
        self.waiting.take(peer)
    }

    /// A place for reading, after those who came before. Nobody has more of the line than another, so
    /// that nobody is refused for what others ask.
    pub(super) async fn to_read(&self, peer: Peer) -> Result<Reading, Reason> {
        let in_line = self.line.take(peer).ok_or(Reason::Busy)?;
        let place = Arc::clone(&self.reading).acquire_owned().await;
        Ok(Reading {
            _in_line: in_line,
            _place: place.map_err(|_| Reason::Stopping)?,
        })
    }

    /// Room for an answer that may be shorter: at most so many bytes, and a sixteenth of what is left,
    /// so that there is always some.
    pub(super) fn room(&self, most: usize) -> Room {
        let share = u32::try_from(self.room.available_permits() / 16).unwrap_or(ROOM);
        let kib = share.min(kib(most));
        let taken = (kib > SMALLEST).then(|| self.take(kib)).flatten();
        let kib = if taken.is_some() { kib } else { SMALLEST };
        Room { kib, taken }
    }

    /// Room for an answer of this very length.
    pub(super) fn hold(&self, bytes: Vec<u8>) -> Result<Bytes, Reason> {
        let kib = kib(bytes.len());
        let taken = (kib > SMALLEST).then(|| self.take(kib).ok_or(Reason::Busy));
        let taken = taken.transpose()?;
        Ok(Room { kib, taken }.hold(bytes))
    }

    fn take(&self, kib: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_many_owned(kib).ok()
    }
}

impl Room {
    /// How long the answer may be, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.kib as usize * 1024
    }

    /// The answer, for which room is held until it has gone out; what it does not need is free.
    pub(super) fn hold(mut self, bytes: Vec<u8>) -> Bytes {
        let spare = self.kib.saturating_sub(kib(bytes.len()));
        if let Some(taken) = &mut self.taken {
            drop(taken.split(spare as usize));
        }
        Bytes::from_owner(Held {
            bytes,
            _taken: self.taken,
        })
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Rounded up.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// Take the whole body before anything else: only then the request takes a place.
pub(super) async fn whole_body(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match timeout(BODY_WITHIN, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Body::from(bytes),
        Ok(Err(_)) => return Problem::from(Reason::TooLarge).into_response(),
        Err(_) => return Problem::from(Reason::RequestTimeout).into_response(),
    };
    next.run(Request::from_parts(parts, body)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn peer(number: u8) -> Peer {
        Peer::from(IpAddr::from(Ipv4Addr::new(192, 0, 2, number)))
    }

    #[test]
    fn nobody_is_refused_a_place_to_read_for_what_others_ask() {
        let places = Places::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut line: Vec<_> = (0..IN_LINE)
            .map(|_| Box::pin(places.to_read(peer(1))))
            .collect();
        let mut asked: Vec<_> = line
            .iter_mut()
            .map(|place| place.as_mut().poll(&mut context))
            .collect();
        assert_eq!(
            asked.iter().filter(|place| place.is_ready()).count(),
            READING
        );
        let refused = pin!(places.to_read(peer(1))).poll(&mut context);
        assert!(matches!(refused, Poll::Ready(Err(Reason::Busy))));

        let mut other = pin!(places.to_read(peer(2)));
        assert!(other.as_mut().poll(&mut context).is_pending());
        // Those before it have read.
        asked.clear();
        drop(line);
        assert!(matches!(other.poll(&mut context), Poll::Ready(Ok(_))));
    }

    #[test]
    fn answers_grow_smaller_where_many_are_on_their_way_and_never_end() {
        const MOST: usize = 2 << 20;
        let places = Places::default();
        let held: Vec<Bytes> = (0..1000)
            .map(|_| {
                let room = places.room(MOST);
                let bytes = vec![0; room.bytes()];
                room.hold(bytes)
            })
            .collect();
        assert_eq!(held[0].len(), MOST);
        assert_eq!(held[999].len(), SMALLEST as usize * 1024);
        let above = held.iter().map(|bytes| bytes.len() - held[999].len());
        assert!(above.sum::<usize>() <= ROOM as usize * 1024);
        assert_eq!(
            places.hold(vec![0; ROOM as usize * 1024]),
            Err(Reason::Busy)
        );
        drop(held);
        assert!(places.hold(vec![0; ROOM as usize * 1024]).is_ok());
    }

    #[test]
    fn what_an_answer_does_not_need_is_free_at_once() {
        let places = Places::default();
        let held = places.room(2 << 20).hold(vec![0; 100 << 10]);
        assert_eq!(places.room.available_permits(), ROOM as usize - 100);
        drop(held);
        assert_eq!(places.room.available_permits(), ROOM as usize);
    }
}
