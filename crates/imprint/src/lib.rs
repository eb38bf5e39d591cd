//! The imprint: the invisible mark that ties one released copy of a document to its release.
//!
//! A vault derives a [`Seed`] from its key for each release, and a [`DocumentMap`] for each document, and lays
//! the seed's [`Word`] into the copy with [`embed`]. When a picture leaks, [`nearest`] finds originals that it
//! may be of, [`Reference::align`] brings it onto an original's grid, [`Projection::of`] turns it into numbers,
//! and [`Answer::of`] names the releases that it was made from, each with a [`Bound`] on the chance of naming a
//! wrong one. [`edits`] shows where it was changed. Figures are in `docs/imprint.md`.
//!
//! Everything is a pure function: no I/O, no clock, no randomness, no threads. Unlike the other pure crates this
//! one computes in floats, and casts between numbers that pictures bound: nothing here is state, and no two
//! machines have to agree on a bit of it.
#![allow(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::inline_always,
    clippy::many_single_char_names,
    reason = "pictures are computed in floats over small indices; loops inline into the widest vectors"
)]

mod align;
mod answer;
mod edit;
mod embed;
mod feature;
mod filter;
mod hash;
mod host;
mod key;
mod mask;
mod picture;
mod score;
mod wavelet;
mod wide;

pub use align::{Alignment, Reference};
pub use answer::{Answer, Bound, Limit, Named};
pub use edit::{EDIT_CELL, Edits, Region, edits};
pub use embed::{Strength, embed};
pub use feature::Features;
pub use hash::{Hash, nearest};
pub use host::Aligned;
pub use key::{DocumentMap, Seed, VaultKey, WORD, Word};
pub use mask::Mask;
pub use picture::{MAX_PIXELS, MIN_SIDE, Picture, PictureError, Plane};
pub use score::{Projection, Words};
