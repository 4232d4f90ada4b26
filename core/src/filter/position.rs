//! By which element of an array a document was found.

use bson::{RawArray, RawBsonRef, RawDocument};

use super::eval::passes;
use super::{ElementTest, FieldPath, Filter, Test, matches, raw};

/// The place of the first element of the array at `array` (a plain dotted path) by which the filter accepts the
/// document: what the positional `$` stands for. Of several conditions on the array the last one decides, as in the
/// original.
pub(crate) fn first_element(filter: &Filter, document: &RawDocument, array: &str) -> Option<usize> {
    match filter {
        Filter::Always | Filter::Never | Filter::Not(_) => None,
        Filter::And(parts) => {
            parts.iter().filter_map(|part| first_element(part, document, array)).next_back()
        }
        Filter::Or(parts) => {
            let mut matching = parts.iter().filter(|part| matches(part, document));
            matching.find_map(|part| first_element(part, document, array))
        }
        Filter::Field(path, test) => {
            let rest = path.as_str().strip_prefix(array)?;
            let elements = array_at(document, array)?;
            match rest.strip_prefix('.') {
                None if rest.is_empty() => element_that_passes(elements, test),
                Some(below) if !begins_with_index(below) => element_with(elements, below, test),
                _ => None,
            }
        }
    }
}

fn element_that_passes(elements: &RawArray, test: &Test) -> Option<usize> {
    let alone = ElementTest::Is(Box::new(test.clone()));
    let mut elements = elements.into_iter().map_while(Result::ok);
    elements.position(|element| match test {
        Test::AnyElement(inner) => passes(inner, element),
        Test::ElemMatch(inner) => {
            matches!(element, RawBsonRef::Document(document) if matches(inner, document))
        }
        Test::Size(_) | Test::Exists => false,
        Test::Compare(..) | Test::In(_) | Test::Matches(_) | Test::Type(_) | Test::Remainder { .. } => {
            passes(&alone, element)
        }
    })
}

fn element_with(elements: &RawArray, below: &str, test: &Test) -> Option<usize> {
    let inside = Filter::Field(FieldPath::from(below), test.clone());
    let mut elements = elements.into_iter().map_while(Result::ok);
    elements
        .position(|element| matches!(element, RawBsonRef::Document(document) if matches(&inside, document)))
}

fn begins_with_index(path: &str) -> bool {
    path.split('.').next().is_some_and(|first| first.parse::<usize>().is_ok())
}

fn array_at<'d>(document: &'d RawDocument, path: &str) -> Option<&'d RawArray> {
    let mut keys = path.split('.');
    let mut value = raw::get(document, keys.next()?)?;
    for key in keys {
        value = match value {
            RawBsonRef::Document(inner) => raw::get(inner, key)?,
            RawBsonRef::Array(elements) => elements.get(key.parse::<usize>().ok()?).ok().flatten()?,
            _ => return None,
        };
    }
    value.as_array()
}

#[cfg(test)]
mod tests {
    use bson::{Document, RawDocumentBuf, doc};

    use super::*;

    #[test]
    fn the_element_is_the_one_that_the_query_asked_for() {
        let document = doc! {"n": [1, 5, 9], "g": [{"x": 1, "y": 2}, {"x": 3, "y": [7]}], "d": {"n": [4, 5]}};
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let place =
            |query: Document, array: &str| first_element(&Filter::parse(&query).unwrap(), &raw, array);
        for (query, array, expected) in [
            (doc! {"n": 5}, "n", Some(1)),
            (doc! {"n": {"$gt": 5}}, "n", Some(2)),
            (doc! {"n": {"$elemMatch": {"$gt": 1, "$lt": 9}}}, "n", Some(1)),
            (doc! {"g.x": 3}, "g", Some(1)),
            (doc! {"g": {"$elemMatch": {"x": 3, "y": 7}}}, "g", Some(1)),
            (doc! {"$or": [{"n": 7}, {"n": 9}]}, "n", Some(2)),
            (doc! {"d.n": 5}, "d.n", Some(1)),
            (doc! {"n": {"$ne": 5}}, "n", None),
            (doc! {"g.0.x": 1}, "g", None),
            (doc! {"n": {"$size": 3}}, "n", None),
            (doc! {"gone": 1}, "n", None),
        ] {
            assert_eq!(place(query.clone(), array), expected, "{query} at {array}");
        }
    }
}
