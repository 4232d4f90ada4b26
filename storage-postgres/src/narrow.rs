//! What SQL can say of a filter.
//!
//! 1. Of a filter two conditions are made on a document's `jsonb`: a *necessary* one, which every match fulfils, and a
//!    *sufficient* one, which nothing else fulfils. Rows are narrowed by the necessary one; what is left is checked with the whole
//!    filter by `filter::matches`, so that nothing is approximated. The sufficient one is there for negations.
//! 2. SQL decides about texts, numbers, booleans, null and absence. Arrays and everything that extended JSON writes as an
//!    object it lets through, and so numbers that JSON may have rounded and texts in which a NUL was replaced.
//! 3. Neither condition is ever NULL.

use backstitch::bson::Bson;
use backstitch::filter::{Comparison, FieldPath, Filter, Test};

/// The most values of an `in` that are told one by one.
const MOST_VALUES: usize = 32;

/// A filter that takes more texts to tell is not told: planning it would take longer than it saves.
const MOST_TEXTS: usize = 128;

/// From here on (2^53) a double's digits may be those of another integer.
const ROUNDED: &str = "9007199254740992";

/// A condition in SQL over `d.doc`, with the texts that are bound from `$first` on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Narrowed {
    pub(crate) sql: String,
    pub(crate) texts: Vec<String>,
}

/// What every match fulfils, if there is anything to say.
pub(crate) fn narrow(filter: &Filter, first: usize) -> Option<Narrowed> {
    let mut texts = Texts { first, bound: Vec::new() };
    let said = Said::of(filter, &mut texts).necessary?;
    // What is no object as JSON is a document that names a field twice.
    let sql = format!("(jsonb_typeof(d.doc) <> 'object' OR {said})");
    (1..=MOST_TEXTS).contains(&texts.bound.len()).then_some(Narrowed { sql, texts: texts.bound })
}

struct Texts {
    first: usize,
    bound: Vec<String>,
}

impl Texts {
    /// Binds a text; what it is called by.
    fn bind(&mut self, text: String) -> String {
        self.bound.push(text);
        format!("${}::text", self.first + self.bound.len() - 1)
    }
}

/// Both conditions; absent where nothing can be said.
#[derive(Default)]
struct Said {
    necessary: Option<String>,
    sufficient: Option<String>,
}

impl Said {
    fn of(filter: &Filter, texts: &mut Texts) -> Self {
        match filter {
            Filter::Always => Self::exactly("true"),
            Filter::Never => Self::exactly("false"),
            Filter::And(parts) => {
                let parts: Vec<Self> = parts.iter().map(|part| Self::of(part, texts)).collect();
                let necessary: Vec<_> = parts.iter().filter_map(|part| part.necessary.as_deref()).collect();
                let sufficient: Option<Vec<_>> =
                    parts.iter().map(|part| part.sufficient.as_deref()).collect();
                let necessary = if necessary.is_empty() { None } else { joined(&necessary, " AND ", "true") };
                Self { necessary, sufficient: sufficient.and_then(|all| joined(&all, " AND ", "true")) }
            }
            Filter::Or(parts) => {
                let parts: Vec<Self> = parts.iter().map(|part| Self::of(part, texts)).collect();
                let necessary: Option<Vec<_>> = parts.iter().map(|part| part.necessary.as_deref()).collect();
                let sufficient: Vec<_> = parts.iter().filter_map(|part| part.sufficient.as_deref()).collect();
                let sufficient =
                    if sufficient.is_empty() { None } else { joined(&sufficient, " OR ", "false") };
                Self { necessary: necessary.and_then(|all| joined(&all, " OR ", "false")), sufficient }
            }
            Filter::Not(inner) => {
                let inner = Self::of(inner, texts);
                let not = |condition: String| format!("NOT {condition}");
                Self { necessary: inner.sufficient.map(not), sufficient: inner.necessary.map(not) }
            }
            Filter::Field(path, test) => match Place::of(path, texts) {
                Some(place) => place.said(test, texts),
                None => Self::default(),
            },
        }
    }

    fn exactly(condition: &str) -> Self {
        Self { necessary: Some(condition.to_owned()), sufficient: Some(condition.to_owned()) }
    }
}

fn joined(parts: &[&str], by: &str, none: &str) -> Option<String> {
    Some(if parts.is_empty() { none.to_owned() } else { format!("({})", parts.join(by)) })
}

/// Where a value stands.
struct Place {
    /// The value as `jsonb`; NULL when it is missing.
    value: String,
    /// SQL cannot follow the path of `filter::matches`: there is an array on the way.
    lost: Option<String>,
}

impl Place {
    /// `None` for a path on which JSON and BSON part: extended JSON has fields of its own, and no NUL.
    fn of(path: &FieldPath, texts: &mut Texts) -> Option<Self> {
        let parts: Vec<&str> = path.as_str().split('.').collect();
        if parts.iter().any(|part| part.starts_with('$') || part.contains(['\0', '\u{FFFD}'])) {
            return None;
        }
        let (mut value, mut arrays) = ("d.doc".to_owned(), Vec::new());
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                arrays.push(format!("jsonb_typeof({value}) = 'array'"));
            }
            let name = texts.bind((*part).to_owned());
            // Of an array, `->` with a text has nothing.
            value = format!("({value} -> {name})");
        }
        let lost = (!arrays.is_empty()).then(|| format!("coalesce({}, false)", arrays.join(" OR ")));
        Some(Self { value, lost })
    }

    fn said(&self, test: &Test, texts: &mut Texts) -> Said {
        let value = &self.value;
        match test {
            Test::Exists => self.exact(format!("{value} IS NOT NULL")),
            Test::Compare(comparison, literal) => self.compared(*comparison, literal, texts),
            Test::In(values) if values.len() <= MOST_VALUES => {
                let all = values.iter().map(|one| self.compared(Comparison::Eq, one, texts));
                let all: Vec<Said> = all.collect();
                let necessary: Option<Vec<_>> = all.iter().map(|one| one.necessary.as_deref()).collect();
                let sufficient: Vec<_> = all.iter().filter_map(|one| one.sufficient.as_deref()).collect();
                Said {
                    necessary: necessary.and_then(|all| joined(&all, " OR ", "false")),
                    sufficient: joined(&sufficient, " OR ", "false"),
                }
            }
            Test::ElemMatch(_) | Test::AnyElement(_) | Test::Size(_) => {
                let array = format!("coalesce(jsonb_typeof({value}) = 'array', false)");
                Said { necessary: Some(self.unless_lost(&array)), sufficient: None }
            }
            Test::Matches(_) => {
                let kinds = "('string', 'array', 'object')";
                let text = format!("coalesce(jsonb_typeof({value}) IN {kinds}, false)");
                Said { necessary: Some(self.unless_lost(&text)), sufficient: None }
            }
            Test::In(_) | Test::Type(_) | Test::Remainder { .. } => Said::default(),
        }
    }

    fn compared(&self, comparison: Comparison, literal: &Bson, texts: &mut Texts) -> Said {
        match literal {
            Bson::String(text) if !text.contains(['\0', '\u{FFFD}']) => self.text(comparison, text, texts),
            Bson::Int32(number) => self.number(comparison, number.to_string(), texts),
            Bson::Int64(number) => self.number(comparison, number.to_string(), texts),
            Bson::Double(number) if number.is_finite() => self.number(comparison, number.to_string(), texts),
            Bson::Boolean(wanted) if comparison == Comparison::Eq => {
                self.scalar(format!("coalesce({} = '{wanted}'::jsonb, false)", self.value))
            }
            Bson::Null if comparison == Comparison::Eq => {
                let value = &self.value;
                self.scalar(format!("({value} IS NULL OR {value} = 'null'::jsonb)"))
            }
            Bson::ObjectId(_) if comparison == Comparison::Eq => {
                // A document may look like one: what is equal need not be it.
                let json = texts.bind(literal.clone().into_relaxed_extjson().to_string());
                let value = &self.value;
                let equal =
                    format!("coalesce({value} = ({json})::jsonb OR jsonb_typeof({value}) = 'array', false)");
                Said { necessary: Some(self.unless_lost(&equal)), sufficient: None }
            }
            _ => Said::default(),
        }
    }

    fn text(&self, comparison: Comparison, text: &str, texts: &mut Texts) -> Said {
        let literal = texts.bind(text.to_owned());
        let value = format!("(CASE jsonb_typeof({0}) WHEN 'string' THEN {0} #>> '{{}}' END)", self.value);
        let replaced = format!("strpos({value}, U&'\\FFFD') > 0");
        self.decided(&format!("{value} COLLATE \"C\" {} {literal}", operator(comparison)), &replaced)
    }

    fn number(&self, comparison: Comparison, number: String, texts: &mut Texts) -> Said {
        let literal = texts.bind(number);
        let value = format!("(CASE jsonb_typeof({0}) WHEN 'number' THEN ({0})::numeric END)", self.value);
        let rounded = format!("abs({value}) >= {ROUNDED}");
        self.decided(&format!("{value} {} ({literal})::numeric", operator(comparison)), &rounded)
    }

    /// A condition that holds for scalars, but where another one makes it doubtful.
    fn decided(&self, condition: &str, doubtful: &str) -> Said {
        let sufficient = format!("coalesce({condition} AND NOT {doubtful}, false)");
        let Said { necessary, sufficient } = self.scalar(sufficient);
        let necessary = necessary.map(|sure| format!("({sure} OR coalesce({doubtful}, false))"));
        Said { necessary, sufficient }
    }

    /// A condition that no array and no object fulfils, although `filter::matches` may find a match in one.
    fn scalar(&self, condition: String) -> Said {
        let complex = format!("coalesce(jsonb_typeof({}) IN ('array', 'object'), false)", self.value);
        let necessary = self.unless_lost(&format!("({condition} OR {complex})"));
        let sufficient = match &self.lost {
            Some(lost) => format!("({condition} AND NOT {lost})"),
            None => condition,
        };
        Said { necessary: Some(necessary), sufficient: Some(sufficient) }
    }

    fn exact(&self, condition: String) -> Said {
        match &self.lost {
            Some(lost) => Said {
                necessary: Some(format!("({condition} OR {lost})")),
                sufficient: Some(format!("({condition} AND NOT {lost})")),
            },
            None => Said::exactly(&format!("({condition})")),
        }
    }

    fn unless_lost(&self, condition: &str) -> String {
        match &self.lost {
            Some(lost) => format!("({condition} OR {lost})"),
            None => condition.to_owned(),
        }
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Eq => "=",
        Comparison::Gt => ">",
        Comparison::Gte => ">=",
        Comparison::Lt => "<",
        Comparison::Lte => "<=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_told_as_far_as_it_can_be() {
        let owner = narrow(&Filter::eq("owner", "ada"), 3).unwrap();
        assert_eq!(owner.texts, ["owner", "ada"]);
        assert!(
            owner.sql.contains("(d.doc -> $3::text)") && owner.sql.contains("= $4::text"),
            "{}",
            owner.sql
        );
        // Of a conjunction whatever can be said; of a disjunction all or nothing.
        let unsaid = Filter::Field("x".into(), Test::Remainder { divisor: 2, remainder: 0 });
        let with = |parts: fn(Vec<Filter>) -> Filter| {
            narrow(&parts(vec![Filter::eq("owner", "ada"), unsaid.clone()]), 3)
        };
        assert!(with(Filter::And).is_some());
        assert_eq!(with(Filter::Or), None);
        assert_eq!(narrow(&Filter::Not(Box::new(unsaid.clone())), 3), None);
        let long = Filter::Or((0..100).map(|number| Filter::eq("n", number)).collect());
        assert_eq!(narrow(&long, 3), None, "it is longer to tell than to check");
        for odd in [
            Filter::eq("a.$date", 1),
            Filter::eq("a\0", 1),
            Filter::eq("a", "nul\0"),
            Filter::eq("a", f64::NAN),
        ] {
            assert_eq!(narrow(&odd, 3), None, "{odd}");
        }
    }
}
