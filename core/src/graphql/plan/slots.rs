//! The stored keys that a selection looks for.

use crate::filter::raw::Key;

/// Stored keys by place, found by key without comparing with each.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    keys: Vec<String>,
    /// By hash, the next free entry where that is taken. At least three of four entries are free: most keys that nobody
    /// wants meet one at once.
    table: Vec<Option<Entry>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    head: u64,
    length: usize,
    place: usize,
}

impl Slots {
    /// The place of a key, which is added when it is not there.
    pub(crate) fn add(&mut self, key: &str) -> usize {
        if let Some(place) = self.find(Key::of(key)) {
            return place;
        }
        let place = self.keys.len();
        self.keys.push(key.to_owned());
        self.table = vec![None; (self.keys.len() * 4).next_power_of_two()];
        let mask = self.table.len() - 1;
        for (place, key) in self.keys.iter().map(|key| Key::of(key)).enumerate() {
            let mut at = hash(key) & mask;
            while matches!(self.table.get(at), Some(Some(_))) {
                at = (at + 1) & mask;
            }
            if let Some(entry) = self.table.get_mut(at) {
                *entry = Some(Entry { head: key.head, length: key.text.len(), place });
            }
        }
        place
    }

    /// The place of a key.
    #[inline]
    pub(crate) fn find(&self, key: Key<'_>) -> Option<usize> {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash(key) & mask;
        loop {
            let entry = (*self.table.get(at)?)?;
            if entry.head == key.head
                && entry.length == key.text.len()
                && (entry.length <= 8 || self.key(entry.place).as_bytes() == key.text)
            {
                return Some(entry.place);
            }
            at = (at + 1) & mask;
        }
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

/// The head tells most keys of one collection apart.
#[inline]
fn hash(key: Key<'_>) -> usize {
    (key.head.wrapping_add(key.text.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_place_whatever_its_hash() {
        let mut slots = Slots::default();
        assert_eq!(slots.find(Key::of("a")), None);
        let keys: Vec<String> = (0..500)
            .map(|number| {
                format!("k{}e{}", number % 250, if number % 2 == 0 { "" } else { "-and-longer-than-a-word" })
            })
            .collect();
        for (number, key) in keys.iter().enumerate() {
            assert_eq!(slots.add(key), number % 250);
            assert_eq!(slots.find(Key::of(key)), Some(number % 250));
            assert_eq!(slots.key(number % 250), key);
        }
        assert_eq!(slots.len(), 250);
        assert_eq!(slots.add(""), 250);
        assert_eq!(slots.find(Key::of("unknown")), None);
    }
}
