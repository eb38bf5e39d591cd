//! Shadow: what Portcullis would have done with a platform's own withdrawals.
//!
//! A month of withdrawals in, a report out: what would have been refused, what held and for what, which
//! patterns of attack stand in it, and how long honest customers would have waited. No key is needed and
//! nobody's withdrawal is touched.
//!
//! Rows come in any order and are judged in that of their times. All that is kept is bounded, whatever their number;
//! where a bound is met the report says so.

pub mod judge;
pub mod mapping;
pub mod month;
mod number;
pub mod read;
pub mod report;
pub mod row;
mod seen;
mod sort;
pub mod terms;
mod when;

pub use judge::{Answer, Shadow};
pub use mapping::Mapping;
pub use read::{Fault, Form, Read};
pub use report::Report;
pub use row::{Factor, Row};
pub use sort::{SortError, Sorter};
pub use terms::Terms;
