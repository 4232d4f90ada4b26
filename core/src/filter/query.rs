//! A query document of MongoDB's as a [`Filter`].
//!
//! 1. Every operator is obeyed, or the query is refused with the operator's name: nothing is passed over.
//! 2. What an operator asks of a field is an [`ElementTest`] first, for `$elemMatch` asks it of an element.

use bson::{Bson, Document};

use super::{Comparison, ElementTest, Filter, Pattern, Test, Types, Values};

/// How deep a query may be nested; the original has this limit too.
const DEPTH: usize = 100;

type Parsed<T> = Result<T, String>;

impl Filter {
    /// Reads `{"year": {"$gte": 1920}, "$or": […]}`.
    ///
    /// # Errors
    /// Which operator is not known here, or which operand does not fit.
    pub fn parse(query: &Document) -> Result<Self, String> {
        all_of(query, 0).map(Self::simplify)
    }
}

fn all_of(query: &Document, depth: usize) -> Parsed<Filter> {
    if depth > DEPTH {
        return Err(format!("the query is nested more than {DEPTH} levels deep"));
    }
    let parts = query.iter().map(|(key, value)| entry(key, value, depth));
    parts.collect::<Parsed<_>>().map(Filter::And)
}

fn entry(key: &str, value: &Bson, depth: usize) -> Parsed<Filter> {
    match key {
        "$and" => several(key, value, depth).map(Filter::And),
        "$or" => several(key, value, depth).map(Filter::Or),
        "$nor" => several(key, value, depth).map(|parts| Filter::Not(Box::new(Filter::Or(parts)))),
        "$comment" => Ok(Filter::Always),
        _ if key.starts_with('$') => Err(format!("unknown top level operator: {key}")),
        _ => asked(value, depth).map(|test| at(key, test)),
    }
}

fn several(key: &str, value: &Bson, depth: usize) -> Parsed<Vec<Filter>> {
    let queries = value.as_array().filter(|queries| !queries.is_empty());
    let queries = queries.ok_or_else(|| format!("{key} must be a nonempty array"))?;
    let one = |query: &Bson| match query {
        Bson::Document(query) => all_of(query, depth + 1),
        _ => Err(format!("{key} entries need to be full objects")),
    };
    queries.iter().map(one).collect()
}

/// What is asked of an element, asked of the value at a path.
fn at(path: &str, test: ElementTest) -> Filter {
    let each = |parts: Vec<ElementTest>| parts.into_iter().map(|part| at(path, part)).collect();
    match test {
        ElementTest::All(parts) => Filter::And(each(parts)),
        ElementTest::Any(parts) => Filter::Or(each(parts)),
        ElementTest::Not(inner) => Filter::Not(Box::new(at(path, *inner))),
        ElementTest::Is(test) => Filter::Field(path.into(), *test),
    }
}

/// What stands at a field: operators, or a value that it has to equal.
fn asked(value: &Bson, depth: usize) -> Parsed<ElementTest> {
    match value {
        Bson::Document(operators) if holds_operators(operators) => operated(operators, depth),
        Bson::RegularExpression(_) => pattern(value, None),
        value => Ok(compared(Comparison::Eq, value)),
    }
}

/// A reference to a document of another collection is a value, whatever its keys begin with.
fn holds_operators(document: &Document) -> bool {
    let first = document.keys().next();
    first.is_some_and(|key| key.starts_with('$') && !["$ref", "$id", "$db"].contains(&key.as_str()))
}

fn operated(operators: &Document, depth: usize) -> Parsed<ElementTest> {
    if depth > DEPTH {
        return Err(format!("the query is nested more than {DEPTH} levels deep"));
    }
    let one = |(key, operand): (&String, &Bson)| operator(key, operand, operators, depth);
    let mut parts: Vec<ElementTest> = operators.iter().map(one).collect::<Parsed<_>>()?;
    Ok(if parts.len() == 1 { parts.remove(0) } else { ElementTest::All(parts) })
}

fn operator(key: &str, operand: &Bson, beside: &Document, depth: usize) -> Parsed<ElementTest> {
    match key {
        "$eq" => Ok(compared(Comparison::Eq, operand)),
        "$ne" => no_pattern(key, operand).map(|()| not(compared(Comparison::Eq, operand))),
        "$gt" => no_pattern(key, operand).map(|()| compared(Comparison::Gt, operand)),
        "$gte" => no_pattern(key, operand).map(|()| compared(Comparison::Gte, operand)),
        "$lt" => no_pattern(key, operand).map(|()| compared(Comparison::Lt, operand)),
        "$lte" => no_pattern(key, operand).map(|()| compared(Comparison::Lte, operand)),
        "$in" => one_of(key, operand),
        "$nin" => one_of(key, operand).map(not),
        "$not" => negated(operand, depth),
        "$exists" => Ok(if is_true(operand) { is(Test::Exists) } else { not(is(Test::Exists)) }),
        "$type" => types(operand).map(|types| is(Test::Type(types))),
        "$regex" => pattern(operand, beside.get("$options")),
        "$options" if beside.contains_key("$regex") => Ok(ElementTest::All(Vec::new())),
        "$options" => Err("$options needs a $regex".to_owned()),
        "$all" => every(operand, depth),
        "$elemMatch" => element(operand, depth),
        "$size" => size(operand),
        "$mod" => remainder(operand),
        _ => Err(format!("unknown operator: {key}")),
    }
}

fn is(test: Test) -> ElementTest {
    ElementTest::Is(Box::new(test))
}

fn not(test: ElementTest) -> ElementTest {
    ElementTest::Not(Box::new(test))
}

fn compared(comparison: Comparison, value: &Bson) -> ElementTest {
    is(Test::Compare(comparison, value.clone()))
}

fn no_pattern(key: &str, operand: &Bson) -> Parsed<()> {
    match operand {
        Bson::RegularExpression(_) => Err(format!("{key} takes no regular expression")),
        _ => Ok(()),
    }
}

/// What counts as true where a flag is wanted: all but false, null and zero.
fn is_true(operand: &Bson) -> bool {
    match operand {
        Bson::Boolean(value) => *value,
        Bson::Null | Bson::Undefined => false,
        Bson::Int32(0) | Bson::Int64(0) => false,
        Bson::Double(value) => *value != 0.0,
        _ => true,
    }
}

fn one_of(key: &str, operand: &Bson) -> Parsed<ElementTest> {
    let Bson::Array(given) = operand else { return Err(format!("{key} needs an array")) };
    let (mut values, mut patterns) = (Vec::new(), Vec::new());
    for value in given {
        match value {
            Bson::RegularExpression(_) => patterns.push(pattern(value, None)?),
            Bson::Document(inner) if holds_operators(inner) => {
                return Err(format!("cannot nest $ under {key}"));
            }
            value => values.push(value.clone()),
        }
    }
    let values = is(Test::In(Values::from(values)));
    if patterns.is_empty() {
        return Ok(values);
    }
    patterns.push(values);
    Ok(ElementTest::Any(patterns))
}

fn negated(operand: &Bson, depth: usize) -> Parsed<ElementTest> {
    match operand {
        Bson::RegularExpression(_) => pattern(operand, None).map(not),
        Bson::Document(operators) if holds_operators(operators) => operated(operators, depth + 1).map(not),
        _ => Err("$not needs a regex or a document with operators".to_owned()),
    }
}

fn types(operand: &Bson) -> Parsed<Types> {
    let found = match operand {
        Bson::Array(sets) if sets.is_empty() => return Err("$type must match at least one type".to_owned()),
        Bson::Array(sets) => return sets.iter().map(types).collect::<Parsed<Vec<_>>>().map(Types::union),
        Bson::String(name) => Types::named(name),
        number => whole(number).and_then(Types::numbered),
    };
    found.ok_or_else(|| format!("{operand} is no BSON type"))
}

fn pattern(operand: &Bson, options: Option<&Bson>) -> Parsed<ElementTest> {
    let options = match options {
        None => None,
        Some(Bson::String(options)) => Some(options.as_str()),
        Some(_) => return Err("$options has to be a string".to_owned()),
    };
    let made = match operand {
        Bson::String(source) => Pattern::new(source, options.unwrap_or_default()),
        Bson::RegularExpression(regex) => {
            Pattern::new(regex.pattern.as_str(), options.unwrap_or(regex.options.as_str()))
        }
        _ => Err("$regex has to be a string".to_owned()),
    };
    made.map(|pattern| is(Test::Matches(pattern)))
}

fn every(operand: &Bson, depth: usize) -> Parsed<ElementTest> {
    let Bson::Array(given) = operand else { return Err("$all needs an array".to_owned()) };
    if given.is_empty() {
        return Ok(ElementTest::Any(Vec::new()));
    }
    let elements = |value: &Bson| match value {
        Bson::Document(inner) => inner.keys().next().is_some_and(|key| key == "$elemMatch"),
        _ => false,
    };
    let mixed = given.iter().any(elements) && !given.iter().all(elements);
    let one = |value: &Bson| match value {
        Bson::Document(inner) if holds_operators(inner) && (mixed || !elements(value)) => {
            Err("no $ expressions in $all".to_owned())
        }
        value => asked(value, depth + 1),
    };
    given.iter().map(one).collect::<Parsed<_>>().map(ElementTest::All)
}

fn element(operand: &Bson, depth: usize) -> Parsed<ElementTest> {
    const OF_DOCUMENTS: [&str; 3] = ["$and", "$or", "$nor"];
    let Bson::Document(inner) = operand else { return Err("$elemMatch needs an object".to_owned()) };
    let first = inner.keys().next().map(String::as_str);
    if holds_operators(inner) && !first.is_some_and(|key| OF_DOCUMENTS.contains(&key)) {
        return operated(inner, depth + 1).map(|test| is(Test::AnyElement(test)));
    }
    all_of(inner, depth + 1).map(|filter| is(Test::ElemMatch(Box::new(filter.simplify()))))
}

fn size(operand: &Bson) -> Parsed<ElementTest> {
    let size = whole(operand).and_then(|size| u64::try_from(size).ok());
    let size = size.ok_or("$size must be a whole number, zero or more")?;
    Ok(is(Test::Size(size)))
}

fn remainder(operand: &Bson) -> Parsed<ElementTest> {
    let Some([divisor, remainder]) = operand.as_array().map(Vec::as_slice) else {
        return Err("$mod needs an array of two numbers: divisor and remainder".to_owned());
    };
    match (truncated(divisor), truncated(remainder)) {
        (Some(0), _) => Err("divisor cannot be 0".to_owned()),
        (Some(divisor), Some(remainder)) => Ok(is(Test::Remainder { divisor, remainder })),
        _ => Err("$mod needs two numbers".to_owned()),
    }
}

/// A number without a fraction.
fn whole(number: &Bson) -> Option<i64> {
    match number {
        Bson::Double(value) if value.fract() != 0.0 => None,
        number => truncated(number),
    }
}

/// The whole part of a number, if it fits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn truncated(number: &Bson) -> Option<i64> {
    match number {
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        Bson::Double(value) if value.abs() < 9.2e18 => Some(value.trunc() as i64),
        Bson::Decimal128(value) => truncated(&Bson::Double(value.to_string().parse().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, Regex, bson, doc};

    use super::*;
    use crate::filter::matches;

    fn found(query: Document, document: Document) -> bool {
        let filter = Filter::parse(&query).unwrap();
        matches(&filter, &RawDocumentBuf::try_from(&document).unwrap())
    }

    fn regex(pattern: &str, options: &str) -> Bson {
        let cstr = |text: &str| bson::raw::CString::try_from(text).unwrap();
        Bson::RegularExpression(Regex { pattern: cstr(pattern), options: cstr(options) })
    }

    #[test]
    fn operators_mean_what_mongodb_says() {
        let tags = || doc! {"tags": ["red", "blue"], "n": [1, 5, 9], "name": "Ada"};
        for (query, expected) in [
            (doc! {}, true),
            (doc! {"name": "Ada", "tags": "red"}, true),
            (doc! {"name": {"$ne": "Ada"}}, false),
            (doc! {"name": {"$regex": "^a", "$options": "i"}}, true),
            (doc! {"name": regex("^a", "")}, false),
            (doc! {"name": {"$not": regex("^a", "")}}, true),
            (doc! {"name": {"$in": [regex("a$", ""), "Bob"]}}, true),
            (doc! {"tags": {"$all": ["blue", "red"]}}, true),
            (doc! {"tags": {"$all": ["blue", "green"]}}, false),
            (doc! {"tags": {"$all": []}}, false),
            (doc! {"tags": {"$size": 2}}, true),
            (doc! {"name": {"$size": 1}}, false),
            (doc! {"n": {"$elemMatch": {"$gt": 1, "$lt": 9}}}, true),
            (doc! {"n": {"$elemMatch": {"$gt": 5, "$lt": 9}}}, false),
            (doc! {"n": {"$gt": 5, "$lt": 2}}, true),
            (doc! {"n": {"$elemMatch": {"$nin": [1, 5, 9]}}}, false),
            (doc! {"n": {"$mod": [4, 1]}}, true),
            (doc! {"n": {"$mod": [4, 2]}}, false),
            (doc! {"n": {"$type": "array"}}, true),
            (doc! {"n": {"$type": ["string", 16]}}, true),
            (doc! {"n": {"$type": "double"}}, false),
            (doc! {"gone": {"$exists": false}}, true),
            (doc! {"gone": Bson::Null}, true),
            (doc! {"gone": {"$type": "null"}}, false),
            (doc! {"$nor": [{"name": "Bob"}, {"n": 2}]}, true),
            (doc! {"$or": [{"name": "Bob"}, {"n": 5}], "$comment": "x"}, true),
        ] {
            assert_eq!(found(query.clone(), tags()), expected, "{query}");
        }
    }

    #[test]
    fn elements_that_are_documents_are_asked_for_fields() {
        let document = || doc! {"a": [{"x": 1, "y": 2}, {"x": 3, "y": [4, 5]}]};
        assert!(found(doc! {"a": {"$elemMatch": {"x": 3, "y": {"$gt": 4}}}}, document()));
        assert!(!found(doc! {"a": {"$elemMatch": {"x": 1, "y": {"$gt": 4}}}}, document()));
        assert!(found(
            doc! {"a": {"$all": [{"$elemMatch": {"x": 1}}, {"$elemMatch": {"y": 5}}]}},
            document()
        ));
        assert!(found(doc! {"a": {"$elemMatch": {"$or": [{"x": 9}, {"y": 2}]}}}, document()));
        assert!(found(doc! {"m": {"$elemMatch": {"$elemMatch": {"$eq": 2}}}}, doc! {"m": [[1], [2]]}));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (query, named) in [
            (doc! {"$where": "1"}, "$where"),
            (doc! {"a": {"$near": 1}}, "$near"),
            (doc! {"a": {"$gt": 1, "b": 2}}, "b"),
            (doc! {"$and": []}, "$and"),
            (doc! {"a": {"$in": 1}}, "$in"),
            (doc! {"a": {"$not": 1}}, "$not"),
            (doc! {"a": {"$size": -1}}, "$size"),
            (doc! {"a": {"$mod": [0, 1]}}, "divisor"),
            (doc! {"a": {"$type": "text"}}, "text"),
            (doc! {"a": {"$regex": "("}}, "("),
            (doc! {"a": {"$options": "i"}}, "$options"),
            (doc! {"a": {"$elemMatch": 1}}, "$elemMatch"),
            (doc! {"a": {"$all": [{"$gt": 1}]}}, "$all"),
            (doc! {"a": {"$in": [{"$gt": 1}]}}, "$in"),
        ] {
            let problem = Filter::parse(&query).unwrap_err();
            assert!(problem.contains(named), "{query}: {problem}");
        }
        let deep = (0..300).fold(doc! {"a": 1}, |inner, _| doc! {"$and": [inner]});
        assert!(Filter::parse(&deep).is_err());
        assert!(found(doc! {"a": bson!({"$ref": "x", "$id": 1})}, doc! {"a": {"$ref": "x", "$id": 1}}));
    }
}
