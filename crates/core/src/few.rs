//! Short lists in exactly as much memory as they need.
//!
//! State keeps millions of them: an account's holders, factors, addresses and events. Most have one
//! member, and that one stands in its owner, for an allocation of its own would be rounded up; more stand
//! behind a pointer without spare room, and adding moves the list, which is short. CBOR is that of a list
//! and of a map.

use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::ops::{Deref, DerefMut};

/// A short list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T>(Kept<T>);

/// Where a list stands; its length alone says which.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept<T> {
    /// A list of one.
    Here(T),
    /// Any other.
    Elsewhere(Box<[T]>),
}

impl<T> Few<T> {
    /// Add one at the end.
    pub fn push(&mut self, item: T) {
        self.change(|items| {
            items.reserve_exact(1);
            items.push(item);
        });
    }

    /// Keep those for which this holds.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.change(|items| items.retain(keep));
    }

    /// Take one out.
    ///
    /// # Panics
    ///
    /// Where there is none at this place.
    pub fn remove(&mut self, at: usize) -> T {
        self.change(|items| items.remove(at))
    }

    fn change<R>(&mut self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        let mut items = match core::mem::take(self).0 {
            Kept::Here(item) => vec![item],
            Kept::Elsewhere(items) => items.into_vec(),
        };
        let done = change(&mut items);
        *self = items.into();
        done
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut items: Vec<T>) -> Self {
        let only = if items.len() == 1 { items.pop() } else { None };
        Self(only.map_or_else(|| Kept::Elsewhere(items.into_boxed_slice()), Kept::Here))
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Kept::Elsewhere(Box::default()))
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Kept::Here(item) => core::slice::from_ref(item),
            Kept::Elsewhere(items) => items,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Kept::Here(item) => core::slice::from_mut(item),
            Kept::Elsewhere(items) => items,
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        items.into_iter().collect::<Vec<T>>().into()
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Few<T> {
    type Item = &'a mut T;
    type IntoIter = core::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<C, T: Encode<C>> Encode<C> for Few<T> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(self.len() as u64)?;
        self.iter().try_for_each(|item| item.encode(e, context))
    }
}

impl<'b, C, T: Decode<'b, C>> Decode<'b, C> for Few<T> {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let length = d.array()?;
        let length = length.ok_or_else(|| decode::Error::message("a list without a length"))?;
        if length == 1 {
            return T::decode(d, context).map(|item| Self(Kept::Here(item)));
        }
        let items: Result<Vec<T>, _> = (0..length).map(|_| T::decode(d, context)).collect();
        items.map(Self::from)
    }
}

/// A short map, ordered by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FewBy<K, V>(Few<(K, V)>);

impl<K: Ord, V> FewBy<K, V> {
    /// What stands under a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        let at = self.0.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Take out what stands under a key, where something does.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.0.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
        Some(self.0.remove(at).1)
    }

    /// What stands under a key, or the default put there.
    pub fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = match self.0.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => at,
            Err(at) => {
                self.0.change(|items| {
                    items.reserve_exact(1);
                    items.insert(at, (key, V::default()));
                });
                at
            }
        };
        &mut self.0[at].1
    }
}

impl<K, V> Default for FewBy<K, V> {
    fn default() -> Self {
        Self(Few::default())
    }
}

impl<C, K: Encode<C>, V: Encode<C>> Encode<C> for FewBy<K, V> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(self.0.len() as u64)?;
        self.0.iter().try_for_each(|(key, value)| {
            key.encode(e, context)?;
            value.encode(e, context)
        })
    }
}

impl<'b, C, K: Decode<'b, C> + Ord, V: Decode<'b, C>> Decode<'b, C> for FewBy<K, V> {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let pairs = d.map_iter_with(context)?;
        let pairs: Result<Vec<(K, V)>, _> = pairs.collect();
        let pairs = pairs?;
        if pairs.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            Ok(Self(pairs.into_iter().collect()))
        } else {
            Err(decode::Error::message("keys are not in order"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encode;
    use std::collections::BTreeMap;

    #[test]
    fn a_list_is_encoded_as_a_list_and_keeps_no_room() {
        let mut few = Few::default();
        let mut list = Vec::new();
        for number in 0..40_u32 {
            few.push(number);
            list.push(number);
        }
        few.retain(|number| number % 3 == 0);
        list.retain(|number| number % 3 == 0);
        assert_eq!(few.remove(2), list.remove(2));
        assert_eq!(&*few, &*list);
        assert_eq!(encode(&few), encode(&list));
        assert_eq!(minicbor::decode::<Few<u32>>(&encode(&few)).unwrap(), few);
    }

    /// Two replicas are equal whichever way their lists came to be.
    #[test]
    fn a_list_of_one_is_the_same_however_it_was_made() {
        let mut pushed = Few::default();
        pushed.push(7_u32);
        let mut left = Few::from_iter([5, 7, 9]);
        left.retain(|number| *number == 7);
        let read = minicbor::decode::<Few<u32>>(&encode(&pushed)).unwrap();
        for few in [&left, &read, &Few::from_iter([7])] {
            assert_eq!(*few, pushed);
        }
        pushed[0] = 8;
        assert_eq!(&*pushed, [8]);
        assert_eq!(pushed.remove(0), 8);
        assert_eq!(pushed, Few::default());
        assert_eq!(encode(&pushed), encode(&Vec::<u32>::new()));
    }

    #[test]
    fn a_map_is_encoded_as_a_map_in_order() {
        let (mut few, mut map) = (FewBy::default(), BTreeMap::new());
        for key in [5_u32, 1, 9, 5, 3, 1] {
            *few.entry(key) += 1_u32;
            *map.entry(key).or_insert(0_u32) += 1;
        }
        assert_eq!(few.get(&5), Some(&2));
        assert_eq!((few.get(&2), few.len(), few.is_empty()), (None, 4, false));
        assert_eq!(few.entry(7), &0);
        assert_eq!((few.remove(&7), few.remove(&7)), (Some(0), None));
        assert_eq!(encode(&few), encode(&map));
        let read: FewBy<u32, u32> = minicbor::decode(&encode(&few)).unwrap();
        assert_eq!(read, few);
        let disordered = [0xa2, 2, 0, 1, 0];
        assert!(minicbor::decode::<FewBy<u32, u32>>(&disordered).is_err());
    }
}
