//! Keys as they are stored.
//!
//! A row of a PostgreSQL index has room for some 2700 bytes. A longer key is cut, and the hash of the whole follows: equal keys
//! stay equal and different ones different, but those that begin alike are in no order. An index that holds such a key is
//! treated as one that has several keys of a document.

use ring::digest::{SHA256, digest};

/// So many bytes of a key are kept.
const LONGEST: usize = 1000;

/// The key as it is stored.
pub(crate) fn stored(mut key: Vec<u8>) -> Vec<u8> {
    if is_cut(&key) {
        let hash = digest(&SHA256, &key);
        key.truncate(LONGEST);
        key.extend_from_slice(hash.as_ref());
    }
    key
}

/// Whether the key is not kept whole.
pub(crate) fn is_cut(key: &[u8]) -> bool {
    key.len() > LONGEST
}

/// Where a range begins that has all stored keys of those from this one on.
pub(crate) fn low(key: &[u8]) -> &[u8] {
    key.get(..LONGEST).unwrap_or(key)
}

/// Where a range ends that has all stored keys of those before this one.
pub(crate) fn high(key: &[u8]) -> Vec<u8> {
    key.get(..LONGEST).filter(|_| is_cut(key)).map_or_else(|| key.to_vec(), backstitch::store::keyed::after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_key_is_told_from_others_and_found_in_every_range_that_holds_it() {
        let long = |last: u8| [vec![7; 3000], vec![last]].concat();
        let (one, two) = (stored(long(1)), stored(long(2)));
        assert_ne!(one, two);
        assert_eq!(one, stored(long(1)));
        assert!(one.len() < 1100);
        for (from, to) in
            [(vec![7; 2999], long(9)), (long(1), long(2)), (vec![7], vec![8]), (long(0), vec![8])]
        {
            assert!(low(&from) <= one.as_slice() && one < high(&to), "{} {}", from.len(), to.len());
        }
        assert_eq!(high(&[1, 2]), [1, 2]);
        assert_eq!(stored(vec![1; LONGEST]).len(), LONGEST);
    }
}
