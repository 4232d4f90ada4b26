//! What a filter means: the reference that every store is tested against.

use bson::{RawBsonRef, RawDocument};

use super::compare::compare_views;
use super::view::{ArrayView, View};
use super::{Comparison, ElementTest, FieldPath, Filter, Pattern, Test, raw};

/// Whether the document matches, in two-valued logic (there is no "unknown").
pub fn matches(filter: &Filter, document: &RawDocument) -> bool {
    match filter {
        Filter::Always => true,
        Filter::Never => false,
        Filter::And(parts) => parts.iter().all(|part| matches(part, document)),
        Filter::Or(parts) => parts.iter().any(|part| matches(part, document)),
        Filter::Not(inner) => !matches(inner, document),
        Filter::Field(path, test) => any_value(document, path, &mut |value| holds(test, value)),
    }
}

/// Whether a value of the document at `path` (or its absence: `None`) satisfies `accept`.
///
/// Documents inside arrays on the way are followed, digits are indexes too. An array on the way
/// that holds no document yields nothing. The value at the end is given once, arrays whole.
pub(crate) fn any_value<'a>(
    document: &'a RawDocument,
    path: &FieldPath,
    accept: &mut dyn FnMut(Option<RawBsonRef<'a>>) -> bool,
) -> bool {
    let (head, rest) = path.split_head();
    // Bytes that cannot be read count as missing: a filter never fails.
    follow(raw::get(document, head), rest, accept)
}

fn walk<'a>(
    document: &'a RawDocument,
    path: &str,
    accept: &mut dyn FnMut(Option<RawBsonRef<'a>>) -> bool,
) -> bool {
    let (head, rest) = split(path);
    follow(raw::get(document, head), rest, accept)
}

fn follow<'a>(
    value: Option<RawBsonRef<'a>>,
    rest: Option<&str>,
    accept: &mut dyn FnMut(Option<RawBsonRef<'a>>) -> bool,
) -> bool {
    let Some(rest) = rest else { return accept(value) };
    match value {
        Some(RawBsonRef::Document(inner)) => walk(inner, rest, accept),
        Some(RawBsonRef::Array(array)) => {
            let (head, below) = split(rest);
            let at_index = head.parse::<usize>().ok().and_then(|index| array.get(index).ok().flatten());
            if at_index.is_some() && follow(at_index, below, accept) {
                return true;
            }
            array.into_iter().map_while(Result::ok).any(|element| match element {
                RawBsonRef::Document(inner) => walk(inner, rest, accept),
                _ => false,
            })
        }
        _ => accept(None),
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('.') {
        Some((head, rest)) => (head, Some(rest)),
        None => (path, None),
    }
}

fn holds(test: &Test, value: Option<RawBsonRef<'_>>) -> bool {
    match test {
        Test::Exists => value.is_some(),
        Test::Compare(comparison, literal) => {
            let literal = View::from(literal);
            itself_or_element(value, &|view| relates(*comparison, view, literal))
        }
        Test::In(values) => itself_or_element(value, &|view| values.has(view)),
        Test::ElemMatch(inner) => elements(value)
            .any(|element| matches!(element, RawBsonRef::Document(document) if matches(inner, document))),
        Test::AnyElement(test) => elements(value).any(|element| passes(test, element)),
        Test::Matches(pattern) => itself_or_element(value, &|view| is_match(pattern, view)),
        Test::Type(types) => {
            value.is_some_and(|value| types.has(value.element_type()))
                || elements(value).any(|element| types.has(element.element_type()))
        }
        Test::Size(size) => {
            matches!(value, Some(RawBsonRef::Array(_))) && elements(value).count() as u64 == *size
        }
        Test::Remainder { divisor, remainder } => {
            itself_or_element(value, &|view| leaves(view, *divisor) == Some(*remainder))
        }
    }
}

/// Whether a single element passes, whose own elements are not looked into.
pub(super) fn passes(test: &ElementTest, element: RawBsonRef<'_>) -> bool {
    match test {
        ElementTest::All(parts) => parts.iter().all(|part| passes(part, element)),
        ElementTest::Any(parts) => parts.iter().any(|part| passes(part, element)),
        ElementTest::Not(inner) => !passes(inner, element),
        ElementTest::Is(test) => match &**test {
            Test::Compare(comparison, literal) => relates(*comparison, element.into(), literal.into()),
            Test::In(values) => values.has(element.into()),
            Test::Matches(pattern) => is_match(pattern, element.into()),
            Test::Type(types) => types.has(element.element_type()),
            Test::Remainder { divisor, remainder } => leaves(element.into(), *divisor) == Some(*remainder),
            test @ (Test::Exists | Test::ElemMatch(_) | Test::AnyElement(_) | Test::Size(_)) => {
                holds(test, Some(element))
            }
        },
    }
}

/// The elements of an array; what is none has none.
fn elements<'a>(value: Option<RawBsonRef<'a>>) -> impl Iterator<Item = RawBsonRef<'a>> {
    let array = match value {
        Some(RawBsonRef::Array(array)) => Some(array),
        _ => None,
    };
    array.into_iter().flat_map(|array| array.into_iter().map_while(Result::ok))
}

fn is_match(pattern: &Pattern, view: View<'_>) -> bool {
    match view {
        View::String(text) => pattern.is_match(text),
        View::Regex(source, options) => source == pattern.source() && options == pattern.options(),
        _ => false,
    }
}

/// What is left of a number's whole part; `None` for what is no number that fits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn leaves(view: View<'_>, divisor: i64) -> Option<i64> {
    let View::Number(number) = view else { return None };
    let whole = number.nearest.trunc();
    // 2^63 is the first that does not fit.
    if !whole.is_finite() || whole.abs() > 9_223_372_036_854_775_808.0 {
        return None;
    }
    let exact = i64::try_from(whole as i128 + i128::from(number.remainder)).ok()?;
    exact.checked_rem(divisor).or(Some(0))
}

/// Missing counts as null.
fn itself_or_element(value: Option<RawBsonRef<'_>>, accept: &dyn Fn(View<'_>) -> bool) -> bool {
    let view = value.map_or(View::Null, View::from);
    if accept(view) {
        return true;
    }
    match view {
        View::Array(array @ ArrayView::Raw(_)) => array.elements().any(accept),
        _ => false,
    }
}

fn relates(comparison: Comparison, value: View<'_>, literal: View<'_>) -> bool {
    if value.bracket() != literal.bracket() {
        return false;
    }
    let order = compare_views(value, literal);
    if comparison != Comparison::Eq && is_nan(value) != is_nan(literal) {
        return false;
    }
    match comparison {
        Comparison::Eq => order.is_eq(),
        Comparison::Gt => order.is_gt(),
        Comparison::Gte => order.is_ge(),
        Comparison::Lt => order.is_lt(),
        Comparison::Lte => order.is_le(),
    }
}

fn is_nan(view: View<'_>) -> bool {
    matches!(view, View::Number(number) if number.nearest.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Bson, Document, RawDocumentBuf, bson, doc};

    fn check(filter: &Filter, document: Document, expected: bool) {
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        assert_eq!(matches(filter, &raw), expected, "{filter} on {document}");
    }

    fn cmp(path: &str, comparison: Comparison, literal: impl Into<Bson>) -> Filter {
        Filter::compare(path, comparison, literal)
    }

    #[test]
    fn equality_looks_into_arrays_and_null_matches_missing() {
        let one = Filter::eq("a", 1);
        check(&one, doc! {"a": 1}, true);
        check(&one, doc! {"a": 1.0}, true);
        check(&one, doc! {"a": [0, 1]}, true);
        check(&one, doc! {"a": [[1]]}, false);
        check(&one, doc! {"a": "1"}, false);
        check(&one, doc! {}, false);
        let null = Filter::eq("a", Bson::Null);
        check(&null, doc! {}, true);
        check(&null, doc! {"a": null}, true);
        check(&null, doc! {"a": [null]}, true);
        check(&null, doc! {"a": 0}, false);
        let whole = Filter::eq("a", bson!([1, 2]));
        check(&whole, doc! {"a": [1, 2]}, true);
        check(&whole, doc! {"a": [2, 1]}, false);
        check(&whole, doc! {"a": [[1, 2]]}, true);
    }

    #[test]
    fn paths_go_through_documents_arrays_and_indexes() {
        let filter = Filter::eq("a.b", 1);
        check(&filter, doc! {"a": {"b": 1}}, true);
        check(&filter, doc! {"a": [{"b": 0}, {"b": 1}]}, true);
        check(&filter, doc! {"a": [1]}, false);
        check(&filter, doc! {"a": 1}, false);
        check(&Filter::eq("a.1", 7), doc! {"a": [1, 7]}, true);
        check(&Filter::eq("a.0.b", 7), doc! {"a": [{"b": 7}]}, true);
        check(&Filter::eq("a.b", Bson::Null), doc! {"a": 1}, true);
        check(&Filter::eq("a.b", Bson::Null), doc! {"a": [{"b": 1}, {}]}, true);
    }

    #[test]
    fn ranges_stay_within_one_type_bracket() {
        check(&cmp("a", Comparison::Gt, 1), doc! {"a": 1.5}, true);
        check(&cmp("a", Comparison::Gt, 1), doc! {"a": "2"}, false);
        check(&cmp("a", Comparison::Lt, 1), doc! {}, false);
        check(&cmp("a", Comparison::Lt, 1), doc! {"a": [5, 0]}, true);
        check(&cmp("a", Comparison::Gte, Bson::Null), doc! {}, true);
        check(&cmp("a", Comparison::Gt, Bson::Null), doc! {}, false);
        check(&cmp("a", Comparison::Lt, 1), doc! {"a": f64::NAN}, false);
        check(&cmp("a", Comparison::Gte, f64::NAN), doc! {"a": f64::NAN}, true);
        check(&cmp("a", Comparison::Gte, "b"), doc! {"a": "b"}, true);
    }

    #[test]
    fn a_stored_null_exists_and_negation_is_two_valued() {
        check(&Filter::exists("a"), doc! {"a": null}, true);
        check(&Filter::exists("a"), doc! {}, false);
        check(&Filter::eq("a", 1).negate(), doc! {}, true);
        check(&Filter::is_in("a", vec![]), doc! {"a": 1}, false);
        check(&Filter::is_in("a", vec![Bson::Null, 2.into()]), doc! {}, true);
    }

    #[test]
    fn one_element_has_to_match_the_whole_element_filter() {
        let both = Filter::eq("x", 1).and(Filter::eq("y", 2));
        let filter = Filter::Field("a".into(), Test::ElemMatch(Box::new(both)));
        check(&filter, doc! {"a": [{"x": 1, "y": 2}]}, true);
        check(&filter, doc! {"a": [{"x": 1}, {"y": 2}]}, false);
        check(&filter, doc! {"a": {"x": 1, "y": 2}}, false);
    }
}
