//! The stored keys that a selection looks for.

/// Buckets of a selection's keys; most keys of a document that nobody wants fall into an empty one.
const BUCKETS: usize = 64;

/// Stored keys by place, found by key without comparing with each.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    keys: Vec<String>,
    /// Places in `keys`; empty as long as there are none.
    buckets: Vec<Vec<usize>>,
}

impl Slots {
    /// The place of a key, which is added when it is not there.
    pub(crate) fn add(&mut self, key: &str) -> usize {
        if let Some(place) = self.find(key.as_bytes()) {
            return place;
        }
        let place = self.keys.len();
        self.keys.push(key.to_owned());
        self.buckets.resize(BUCKETS, Vec::new());
        if let Some(bucket) = self.buckets.get_mut(bucket(key.as_bytes())) {
            bucket.push(place);
        }
        place
    }

    /// The place of a key.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let is_key = |place: &&usize| self.keys.get(**place).is_some_and(|known| known.as_bytes() == key);
        self.buckets.get(bucket(key))?.iter().find(is_key).copied()
    }

    /// The key at a place.
    pub(crate) fn key(&self, place: usize) -> &str {
        self.keys.get(place).map_or("", String::as_str)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Length, first and last byte tell most keys of one collection apart.
#[inline]
fn bucket(key: &[u8]) -> usize {
    let at = |byte: Option<&u8>| usize::from(*byte.unwrap_or(&0));
    (key.len() * 5 + at(key.first()) * 3 + at(key.last())) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_place_whatever_its_bucket() {
        let mut slots = Slots::default();
        assert_eq!(slots.find(b"a"), None);
        let keys: Vec<String> = (0..500).map(|number| format!("k{}e", number % 250)).collect();
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(slots.add(key), number % 250);
            assert_eq!(slots.find(key.as_bytes()), Some(number % 250));
            assert_eq!(slots.key(number % 250), key);
        }
        assert_eq!(slots.len(), 250);
        assert_eq!(slots.add(""), 250);
        assert_eq!(slots.find(b"unknown"), None);
    }
}
