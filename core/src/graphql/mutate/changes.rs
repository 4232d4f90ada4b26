//! Applying changes to a document.
//!
//! 1. Setting and incrementing inside an embedded object that is missing or null creates it.
//! 2. An increment starts from zero where there is no value, and never overflows silently.
//! 3. The result keeps the wider of the two number types.

use bson::{Bson, Document};

use super::change::{Change, Edit};
use crate::data::decimal;

/// Applies all changes, or says why not.
pub(super) fn apply(document: &mut Document, changes: &[Change]) -> Result<(), String> {
    changes.iter().try_for_each(|change| {
        let Some((key, parents)) = change.path.split_last() else { return Ok(()) };
        let creates = change.edit != Edit::Unset;
        let Some(parent) = descend(document, parents, creates)? else { return Ok(()) };
        match &change.edit {
            Edit::Set(value) => {
                parent.insert(key.clone(), value.clone());
            }
            Edit::Unset => {
                parent.remove(key);
            }
            Edit::Increment(by) => {
                let sum = add(parent.get(key).unwrap_or(&Bson::Null), by)
                    .map_err(|problem| format!("`{}` {problem}", change.path.join(".")))?;
                parent.insert(key.clone(), sum);
            }
        }
        Ok(())
    })
}

fn descend<'d>(
    document: &'d mut Document,
    parents: &[String],
    creates: bool,
) -> Result<Option<&'d mut Document>, String> {
    let Some((key, below)) = parents.split_first() else { return Ok(Some(document)) };
    if matches!(document.get(key), None | Some(Bson::Null | Bson::Undefined)) {
        if !creates {
            return Ok(None);
        }
        document.insert(key.clone(), Document::new());
    }
    match document.get_mut(key) {
        Some(Bson::Document(inner)) => descend(inner, below, creates),
        _ => Err(format!("`{key}` is no object, so nothing inside it can change")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum with a double is a double")]
fn add(value: &Bson, by: &Bson) -> Result<Bson, &'static str> {
    const OVERFLOW: &str = "would overflow";
    let fits = |sum: f64| if sum.is_finite() { Ok(Bson::Double(sum)) } else { Err(OVERFLOW) };
    match (value, by) {
        (Bson::Null | Bson::Undefined, by) => Ok(by.clone()),
        (Bson::Int32(a), Bson::Int32(b)) => a.checked_add(*b).map(Bson::Int32).ok_or(OVERFLOW),
        (Bson::Int64(a), Bson::Int32(b)) => a.checked_add(i64::from(*b)).map(Bson::Int64).ok_or(OVERFLOW),
        (Bson::Double(a), Bson::Int32(b)) => fits(a + f64::from(*b)),
        (Bson::Double(a), Bson::Double(b)) => fits(a + b),
        (Bson::Int32(a), Bson::Double(b)) => fits(f64::from(*a) + b),
        (Bson::Int64(a), Bson::Double(b)) => fits(*a as f64 + b),
        (Bson::Decimal128(_), _) | (_, Bson::Decimal128(_)) => {
            decimal::add(value, by).map(Bson::Decimal128).ok_or(OVERFLOW)
        }
        _ => Err("holds no number to increment"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Decimal128, doc};

    fn change(path: &str, edit: Edit) -> Change {
        Change { path: path.split('.').map(str::to_owned).collect(), edit }
    }

    fn applied(mut document: Document, changes: &[Change]) -> Result<Document, String> {
        apply(&mut document, changes).map(|()| document)
    }

    #[test]
    fn embedded_objects_are_merged_and_created() {
        let set = |path| change(path, Edit::Set(1.into()));
        for (before, after) in [
            (doc! {"a": {"x": 0, "y": 2}}, doc! {"a": {"x": 1, "y": 2}}),
            (doc! {}, doc! {"a": {"x": 1}}),
            (doc! {"a": null}, doc! {"a": {"x": 1}}),
        ] {
            assert_eq!(applied(before, &[set("a.x")]).unwrap(), after);
        }
        assert!(applied(doc! {"a": [1]}, &[set("a.x")]).is_err());
    }

    #[test]
    fn unset_removes_and_creates_nothing() {
        let unset = change("a.x", Edit::Unset);
        assert_eq!(applied(doc! {"a": {"x": 1}}, std::slice::from_ref(&unset)).unwrap(), doc! {"a": {}});
        assert_eq!(applied(doc! {}, &[unset]).unwrap(), doc! {});
    }

    #[test]
    fn increments_start_from_zero_and_refuse_overflow() {
        let decimal = |text: &str| Bson::Decimal128(text.parse::<Decimal128>().unwrap());
        for (before, by, after) in [
            (Bson::Null, Bson::Int32(2), Some(Bson::Int32(2))),
            (Bson::Int32(1), Bson::Int32(2), Some(Bson::Int32(3))),
            (Bson::Int32(i32::MAX), Bson::Int32(1), None),
            (Bson::Int64(i64::MAX), Bson::Int32(1), None),
            (Bson::Int64(1 << 40), Bson::Int32(1), Some(Bson::Int64((1 << 40) + 1))),
            (Bson::Double(0.5), Bson::Double(1.0), Some(Bson::Double(1.5))),
            (Bson::Int32(1), Bson::Double(0.5), Some(Bson::Double(1.5))),
            (Bson::Double(f64::MAX), Bson::Double(f64::MAX), None),
            (decimal("0.1"), decimal("0.2"), Some(decimal("0.3"))),
            (Bson::Int32(1), decimal("0.25"), Some(decimal("1.25"))),
            (Bson::String("1".into()), Bson::Int32(1), None),
        ] {
            let edit = change("n", Edit::Increment(by));
            let got = applied(doc! {"n": before}, &[edit]).ok().and_then(|mut done| done.remove("n"));
            assert_eq!(got, after);
        }
        let edit = change("n", Edit::Increment(Bson::Int32(3)));
        assert_eq!(applied(doc! {}, &[edit]).unwrap(), doc! {"n": 3});
    }

    #[test]
    fn a_field_cannot_be_changed_twice() {
        let set = |path| change(path, Edit::Set(1.into()));
        for (changes, fine) in [
            (vec![set("a"), set("a")], false),
            (vec![set("a.b"), set("a"), set("a-")], false),
            (vec![set("a.b"), set("a.c"), set("ab")], true),
        ] {
            assert_eq!(Change::refuse_overlap(&changes).is_ok(), fine);
        }
    }
}
