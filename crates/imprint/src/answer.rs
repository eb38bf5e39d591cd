//! The answer to "whose copy is this?": a release with its bound, several, or none. Never a guess.

use crate::score::{Projection, Words};

/// How likely it is that a wrong release is named at all: at most `10^log10`.
///
/// p ≤ N · H · exp(−z²/2) for N candidates and H variants. It holds for every picture and every attack by
/// whoever does not know the vault's key, because the words of releases that have nothing to do with the
/// copy are independent of it (W. Hoeffding, 1963, theorem 2).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Bound(f64);

impl Bound {
    /// The bound of a score among `candidates`, the best of `variants`.
    #[must_use]
    pub fn of(score: f64, candidates: usize, variants: usize) -> Self {
        let union = (candidates.max(1) as f64 * variants.max(1) as f64).log10();
        Self((union - score.max(0.0).powi(2) / (2.0 * std::f64::consts::LN_10)).min(0.0))
    }

    /// The decimal logarithm of the probability.
    #[must_use]
    pub fn log10(self) -> f64 {
        self.0
    }

    /// The least score that keeps to a limit.
    #[must_use]
    pub fn least_score(limit: Limit, candidates: usize, variants: usize) -> f64 {
        let union = (candidates.max(1) as f64 * variants.max(1) as f64).log10();
        (2.0 * std::f64::consts::LN_10 * (union - limit.0))
            .max(0.0)
            .sqrt()
    }
}

/// The largest probability of a wrong name that a case accepts, as a decimal logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit(f64);

impl Limit {
    /// One in a thousand million for each leaked file.
    pub const PER_FILE: Self = Self(-9.0);

    /// The decimal logarithm.
    #[must_use]
    pub fn log10(self) -> f64 {
        self.0
    }

    /// The same over a whole set of files.
    #[must_use]
    pub fn over(self, files: usize) -> Self {
        Self(self.0 - (files.max(1) as f64).log10())
    }
}

/// A release that the copy was made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Named {
    /// Its index among the candidates.
    pub release: usize,
    /// The score: how many standard deviations a wrong release would have to be off.
    pub score: f64,
    /// What that says.
    pub bound: Bound,
}

/// Whose copy it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One release.
    Release(Named),
    /// Several at once, strongest first: copies were mixed.
    Several(Vec<Named>),
    /// No candidate keeps to the limit: not marked, marked by a release that is no candidate, or worn off.
    None,
}

impl Answer {
    /// Whose copy `projection` is of, among `words`.
    #[must_use]
    pub fn of(projection: &Projection, words: &Words, limit: Limit) -> Self {
        let (n, h) = (words.len(), projection.variants());
        let least = Bound::least_score(limit, n, h);
        let scores = projection.scores(words);
        let mut named: Vec<Named> = scores
            .into_iter()
            .enumerate()
            .filter(|(_, score)| *score >= least)
            .map(|(release, score)| Named {
                release,
                score,
                bound: Bound::of(score, n, h),
            })
            .collect();
        named.sort_by(|a, b| b.score.total_cmp(&a.score));
        match named.as_slice() {
            [] => Self::None,
            [one] => Self::Release(*one),
            _ => Self::Several(named),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scheme's own table: what score one in 10⁹ takes.
    #[test]
    fn least_scores_are_those_of_the_bound() {
        for (candidates, variants, score) in [(200, 1, 7.21), (10_000, 1, 7.74), (10_000, 64, 8.26)]
        {
            let least = Bound::least_score(Limit::PER_FILE, candidates, variants);
            assert!(
                (least - score).abs() < 0.01,
                "{candidates} {variants}: {least}"
            );
            assert!((Bound::of(least, candidates, variants).log10() + 9.0).abs() < 1e-9);
        }
        let archive = Bound::least_score(Limit::PER_FILE.over(60_000), 10_000, 1);
        assert!((archive - 9.05).abs() < 0.01, "{archive}");
    }
}
