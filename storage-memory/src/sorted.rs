//! A sorted map that is cheap to clone and cheap to change afterwards.
//!
//! Entries lie in runs of at most [`RUN`]. A clone shares all runs; a change copies one run and the
//! list of runs, and nothing when nobody else holds them.

use std::sync::Arc;

/// Where a run is split.
const RUN: usize = 128;

/// A stretch of neighbours, shared until one of them changes.
type Run<K, V> = Arc<Vec<(K, V)>>;

/// A persistent sorted map.
#[derive(Debug)]
pub(crate) struct SortedMap<K, V> {
    // INVARIANT: no run is empty, and keys ascend through all of them.
    runs: Arc<Vec<Run<K, V>>>,
}

/// A place in a map; only good for the very map it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    run: usize,
    offset: usize,
}

impl<K, V> Clone for SortedMap<K, V> {
    fn clone(&self) -> Self {
        Self { runs: Arc::clone(&self.runs) }
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { runs: Arc::default() }
    }
}

impl<K: Ord + Clone, V: Clone> SortedMap<K, V> {
    /// The place of the first entry for which `below` is false; `below` must hold for a beginning.
    pub(crate) fn seek(&self, below: impl Fn(&K) -> bool) -> Position {
        let next = self.runs.partition_point(|run| run.first().is_some_and(|(key, _)| below(key)));
        let Some(run) = next.checked_sub(1) else { return Position { run: 0, offset: 0 } };
        let offset = self.runs.get(run).map_or(0, |entries| entries.partition_point(|(key, _)| below(key)));
        Position { run, offset }
    }

    /// The entry at a place, and the place after it.
    pub(crate) fn entry(&self, mut at: Position) -> Option<(&K, &V, Position)> {
        loop {
            let run = self.runs.get(at.run)?;
            if let Some((key, value)) = run.get(at.offset) {
                return Some((key, value, Position { offset: at.offset + 1, ..at }));
            }
            at = Position { run: at.run + 1, offset: 0 };
        }
    }

    /// All entries from a place on.
    pub(crate) fn from(&self, at: Position) -> impl Iterator<Item = (&K, &V)> {
        let first = self.runs.get(at.run).and_then(|run| run.get(at.offset..)).unwrap_or_default();
        let rest = self.runs.get(at.run + 1..).unwrap_or_default();
        first.iter().chain(rest.iter().flat_map(|run| run.iter())).map(|(key, value)| (key, value))
    }

    /// Puts a value under a key, in the place of what was there.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let mut at = self.seek(|stored| *stored < key);
        // The key may open the next run and still be equal to its first.
        if let Some(run) = self.runs.get(at.run + 1)
            && self.runs.get(at.run).is_some_and(|run| run.len() == at.offset)
            && run.first().is_some_and(|(first, _)| *first == key)
        {
            at = Position { run: at.run + 1, offset: 0 };
        }
        let runs = Arc::make_mut(&mut self.runs);
        let Some(run) = runs.get_mut(at.run) else {
            runs.push(Arc::new(vec![(key, value)]));
            return;
        };
        let entries = Arc::make_mut(run);
        match entries.get_mut(at.offset) {
            Some(entry) if entry.0 == key => entry.1 = value,
            _ => entries.insert(at.offset, (key, value)),
        }
        if entries.len() > RUN {
            // Growth at the end leaves full runs behind it, as loading does.
            let at_end = at.offset + 1 == entries.len();
            let upper = entries.split_off(if at_end { RUN } else { RUN / 2 });
            runs.insert(at.run + 1, Arc::new(upper));
        }
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.seek(|stored| stored < key);
        let (found, _, after) = self.entry(at)?;
        if found != key {
            return None;
        }
        let at = Position { run: after.run, offset: after.offset - 1 };
        let runs = Arc::make_mut(&mut self.runs);
        let entries = Arc::make_mut(runs.get_mut(at.run)?);
        let (_, value) = entries.remove(at.offset);
        if entries.is_empty() {
            runs.remove(at.run);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_does_what_a_btree_map_does_and_clones_stay_as_they_were() {
        let (mut map, mut model) = (SortedMap::default(), BTreeMap::new());
        let mut held = Vec::new();
        let mut state = 1_u64;
        for step in 0..20_000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = (state >> 33) % 2_000;
            if state >> 63 == 0 || step < 3_000 {
                map.insert(key, step);
                model.insert(key, step);
            } else {
                assert_eq!(map.remove(&key), model.remove(&key));
            }
            let found = map.entry(map.seek(|stored| *stored < key)).filter(|(found, ..)| **found == key);
            assert_eq!(found.map(|(_, value, _)| value), model.get(&key));
            if step % 4_000 == 0 {
                held.push((map.clone(), model.clone()));
            }
        }
        held.push((map, model));
        for (map, model) in held {
            assert!(map.from(map.seek(|_| false)).eq(model.iter()));
            let middle = map.from(map.seek(|key| *key < 1_000));
            assert!(middle.eq(model.range(1_000..)));
        }
    }
}
