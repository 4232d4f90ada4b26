//! Simplification: constants folded, nesting flattened. The meaning never changes.

use super::{Filter, Test};

impl Filter {
    /// The same condition in its simplest form.
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::Always | Self::Never => self,
            Self::And(parts) => simplify_and(parts),
            Self::Or(parts) => simplify_or(parts),
            Self::Not(inner) => match inner.simplify() {
                Self::Always => Self::Never,
                Self::Never => Self::Always,
                Self::Not(twice) => *twice,
                other => Self::Not(Box::new(other)),
            },
            Self::Field(path, test) => match test {
                Test::In(values) if values.is_empty() => Self::Never,
                Test::ElemMatch(inner) => match inner.simplify() {
                    Self::Never => Self::Never,
                    other => Self::Field(path, Test::ElemMatch(Box::new(other))),
                },
                other => Self::Field(path, other),
            },
        }
    }
}

fn simplify_and(parts: Vec<Filter>) -> Filter {
    let parts = flatten(parts, &Filter::Always, |part| match part {
        Filter::And(inner) => inner,
        other => vec![other],
    });
    if parts.contains(&Filter::Never) { Filter::Never } else { single_or(parts, Filter::Always, Filter::And) }
}

fn simplify_or(parts: Vec<Filter>) -> Filter {
    let parts = flatten(parts, &Filter::Never, |part| match part {
        Filter::Or(inner) => inner,
        other => vec![other],
    });
    if parts.contains(&Filter::Always) { Filter::Always } else { single_or(parts, Filter::Never, Filter::Or) }
}

/// The simplified parts on one level, without neutral ones and repetitions.
fn flatten(parts: Vec<Filter>, neutral: &Filter, open: fn(Filter) -> Vec<Filter>) -> Vec<Filter> {
    let mut kept: Vec<Filter> = Vec::new();
    for part in parts.into_iter().flat_map(|part| open(part.simplify())) {
        if part != *neutral && !kept.contains(&part) {
            kept.push(part);
        }
    }
    kept
}

fn single_or(mut parts: Vec<Filter>, neutral: Filter, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.len() {
        0 => neutral,
        1 => parts.remove(0),
        _ => join(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_fold_and_nesting_flattens() {
        let a = || Filter::eq("a", 1);
        let b = || Filter::eq("b", 1);
        let cases = [
            (Filter::And(vec![]), Filter::Always),
            (Filter::Or(vec![]), Filter::Never),
            (Filter::And(vec![a(), Filter::Always]), a()),
            (Filter::And(vec![a(), Filter::Never]), Filter::Never),
            (Filter::Or(vec![a(), Filter::Always]), Filter::Always),
            (Filter::And(vec![a(), Filter::And(vec![b(), a()])]), Filter::And(vec![a(), b()])),
            (Filter::Not(Box::new(Filter::Not(Box::new(a())))), a()),
            (Filter::is_in("a", vec![]), Filter::Never),
        ];
        for (input, expected) in cases {
            assert_eq!(input.simplify(), expected);
        }
    }
}
