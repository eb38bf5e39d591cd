//! What a process says of a state that lasts: once, when it changes.

/// The last that was told of one matter.
#[derive(Clone, Debug)]
pub struct Told<T>(Option<T>);

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: PartialEq> Told<T> {
    /// Whether this is something else than what was told last; it counts as told from here on.
    pub fn is_news(&mut self, what: T) -> bool {
        let is_news = self.0.as_ref() != Some(&what);
        self.0 = Some(what);
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_is_news() {
        let mut told = Told::default();
        let states = ["up", "up", "down", "down", "up"];
        let news = states.map(|state| told.is_news(state));
        assert_eq!(news, [true, false, true, false, true]);
    }
}
