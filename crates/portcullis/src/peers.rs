//! Programs of others that `script/install` fetches, to drill with or to be measured beside.

use std::env::{current_dir, current_exe};
use std::path::PathBuf;

/// Where something stands in the `.peers` of the checkout in which this program was built, or else of
/// the one in which it runs.
pub(crate) fn find(below: &str) -> Option<PathBuf> {
    let (own, here) = (
        current_exe().unwrap_or_default(),
        current_dir().unwrap_or_default(),
    );
    let places = own.ancestors().chain(here.ancestors());
    let mut paths = places.map(|place| place.join(".peers").join(below));
    paths.find(|path| path.exists())
}
