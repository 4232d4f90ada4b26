//! What the documents of one selection have in common: mostly the same keys in the same order.

use bson::RawDocument;

use crate::filter::raw::{self, Element, Key};
use crate::graphql::plan::Selection;

/// The keys of the document before, in their order, each with the slot that wants it.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    selection: &'a Selection,
    keys: Vec<(Key<'a>, Option<usize>)>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(selection: &'a Selection) -> Self {
        Self { selection, keys: Vec::new() }
    }

    /// Whether it is of this very selection.
    pub(super) fn is_of(&self, selection: &Selection) -> bool {
        std::ptr::eq(self.selection, selection)
    }

    /// Puts the wanted elements into their slots, in one walk over the document.
    pub(super) fn fill(&mut self, slots: &mut [Option<Element<'a>>], document: &'a RawDocument) {
        let mut elements = raw::elements(document);
        let mut left = slots.len();
        if left == 0 {
            return;
        }
        for place in 0.. {
            let expected = self.keys.get(place).copied();
            let foreseen = expected.and_then(|(key, slot)| Some((elements.next_if(key)?, slot)));
            let (element, slot) = match foreseen {
                Some(found) => found,
                None => {
                    let Some(element) = elements.next() else { break };
                    let slot = self.selection.slots.find(element.key);
                    match self.keys.get_mut(place) {
                        Some(known) => *known = (element.key, slot),
                        None => self.keys.push((element.key, slot)),
                    }
                    (element, slot)
                }
            };
            // Of a key that is there twice, the first value counts.
            if let Some(slot @ None) = slot.and_then(|slot| slots.get_mut(slot)) {
                *slot = Some(element);
                left -= 1;
                if left == 0 {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{Document, RawDocumentBuf, doc};

    use super::*;

    #[test]
    fn slots_are_filled_whatever_order_and_keys_the_documents_have() {
        let mut selection = Selection::default();
        for key in ["b", "a", "a-key-longer-than-a-word"] {
            selection.slots.add(key);
        }
        let documents = [
            doc! { "a": 1, "b": 2, "c": 3, "a-key-longer-than-a-word": 4 },
            doc! { "a": 5, "b": 6, "c": 7, "a-key-longer-than-a-word": 8 },
            doc! { "b": 9, "c": 10, "a": 11 },
            doc! {},
            doc! { "c": 12, "a-key-longer-than-a-word": 13, "a-key-longer-than-a-wore": 0, "a": 14 },
            doc! { "a": 15, "b": 16, "c": 17, "a-key-longer-than-a-word": 18, "d": 19 },
        ];
        let raw: Vec<_> = documents.iter().map(|one| RawDocumentBuf::try_from(one).unwrap()).collect();
        let mut layout = Layout::new(&selection);
        for (document, raw) in documents.iter().zip(&raw) {
            let mut slots = [None; 3];
            layout.fill(&mut slots, raw);
            let found: Document = (0..3)
                .filter_map(|slot| {
                    Some((selection.slots.key(slot).to_owned(), slots[slot]?.value(raw)?.try_into().ok()?))
                })
                .collect();
            let expected: Document = ["b", "a", "a-key-longer-than-a-word"]
                .iter()
                .filter_map(|key| Some(((*key).to_owned(), document.get(key)?.clone())))
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_first_value_counts_and_nothing_else_is_lost() {
        let mut selection = Selection::default();
        selection.slots.add("a");
        selection.slots.add("b");
        let part = |document: Document| {
            let bytes = document.to_vec().unwrap();
            bytes[4..bytes.len() - 1].to_vec()
        };
        let elements = [part(doc! { "a": 1 }), part(doc! { "a": 2 }), part(doc! { "b": 3 })].concat();
        let length = i32::try_from(elements.len() + 5).unwrap();
        let bytes = [length.to_le_bytes().as_slice(), &elements, &[0]].concat();
        let document = RawDocumentBuf::from_bytes(bytes).unwrap();
        let mut slots = [None; 2];
        Layout::new(&selection).fill(&mut slots, &document);
        let values = slots.map(|slot| slot.unwrap().value(&document).unwrap().as_i32().unwrap());
        assert_eq!(values, [1, 3]);
    }
}
