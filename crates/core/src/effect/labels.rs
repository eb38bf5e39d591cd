//! Effects on the label sets in force.

use super::Effect;
use crate::state::Facts;

impl Facts {
    pub(super) fn commit_labels(&mut self, effect: &Effect) {
        let Effect::SetLabels(name, list) = effect else {
            return;
        };
        let lists = self.labels.get_or_insert_default();
        match list {
            Some(list) => {
                lists.insert(name.clone(), (**list).clone());
            }
            None => {
                lists.remove(name);
            }
        }
        // None at all is as it was before there were any.
        self.labels.take_if(|lists| lists.is_empty());
    }
}
