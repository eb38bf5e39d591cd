//! The client against Bitcoin Core's own validation and against made-up answers, the tracker against
//! made-up chains.

mod answers;
mod kit;
mod lies;
mod on_core;
mod peer;
mod tracking;
