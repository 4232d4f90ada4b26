//! A set of values.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bson::Bson;

use super::compare::{compare, compare_views, equal};
use super::view::View;

/// The values of [`Test::In`](super::Test::In): each once, in MongoDB's order.
///
/// Whether a value is among them takes as many comparisons as their number has binary digits, and a clone shares
/// them: the keys of a condition on related documents may be very many.
#[derive(Clone, PartialEq)]
pub struct Values(Arc<[Bson]>);

impl Values {
    /// Whether one of them equals the value.
    pub(crate) fn has(&self, value: View<'_>) -> bool {
        self.0.binary_search_by(|known| compare_views(known.into(), value)).is_ok()
    }
}

impl From<Vec<Bson>> for Values {
    fn from(mut values: Vec<Bson>) -> Self {
        values.sort_by(compare);
        values.dedup_by(|one, other| equal(one, other));
        Self(values.into())
    }
}

impl Deref for Values {
    type Target = [Bson];

    fn deref(&self) -> &[Bson] {
        &self.0
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::key::tests::value;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_is_among_those_that_one_of_them_equals(
            values in proptest::collection::vec(value(), 0..12),
            asked in value(),
        ) {
            let expected = values.iter().any(|one| equal(one, &asked));
            let set = Values::from(values.clone());
            prop_assert_eq!(set.has(View::from(&asked)), expected);
            prop_assert!(values.iter().all(|one| set.has(View::from(one))));
        }
    }
}
