//! What is left of an expression once the actor is known: a condition on a document.
//!
//! 1. Logic is two-valued; an absent image is an empty document.
//! 2. [`Condition::verdict`] turns a condition into what a store can filter by. What no filter can
//!    say (a field against another field) is let through by the filter and judged per document.

use std::sync::Arc;

use bson::{RawDocument, RawDocumentBuf};

use super::expr::{Image, Operand, Relation};
use super::relate;
use crate::filter::{Filter, matches};

/// A condition on a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Always,
    Never,
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// The image is there.
    Present(Image),
    /// The image matches.
    Matches(Image, Filter),
    /// Both sides, or one in an odd way, depend on the document.
    Pair(Operand, Relation, Operand),
}

/// The images of one document that a condition is judged on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) root: &'a RawDocument,
    pub(crate) previous: Option<&'a RawDocument>,
    pub(crate) next: &'a RawDocument,
}

/// A rule with the actor known and the document unknown.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// On every document.
    Always,
    /// On no document.
    Never,
    /// Exactly on what the filter matches.
    When(Filter),
    /// On what the filter matches and the check accepts.
    PerDocument(Filter, Check),
}

/// The judgement of one document that no filter can express.
#[derive(Clone, Debug)]
pub(crate) struct Check(Arc<Condition>);

impl Check {
    pub(crate) fn accepts(&self, document: &RawDocument) -> bool {
        self.0.holds(Scene::stored(document))
    }
}

impl<'a> Scene<'a> {
    /// A read: the document is all three images.
    pub(crate) fn stored(document: &'a RawDocument) -> Self {
        Self { root: document, previous: Some(document), next: document }
    }

    pub(crate) fn image(&self, image: Image) -> Option<&'a RawDocument> {
        match image {
            Image::Root => Some(self.root),
            Image::Previous => self.previous,
            Image::Next => Some(self.next),
        }
    }
}

impl Condition {
    pub(crate) fn constant(value: bool) -> Self {
        if value { Self::Always } else { Self::Never }
    }

    /// A filter on an image, constants folded.
    pub(crate) fn stored(image: Image, filter: Filter) -> Self {
        match filter {
            Filter::Always => Self::Always,
            Filter::Never => Self::Never,
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) | Filter::Field(..) => {
                Self::Matches(image, filter)
            }
        }
    }

    /// All of them, constants folded.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Always => {}
                Self::Never => return Self::Never,
                Self::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        single_or(kept, Self::Always, Self::All)
    }

    /// Any of them, constants folded.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Never => {}
                Self::Always => return Self::Always,
                Self::Any(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        single_or(kept, Self::Never, Self::Any)
    }

    pub(crate) fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Whether it holds on this scene.
    pub(crate) fn holds(&self, scene: Scene<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::All(parts) => parts.iter().all(|part| part.holds(scene)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(scene)),
            Self::Not(inner) => !inner.holds(scene),
            Self::Present(image) => scene.image(*image).is_some(),
            Self::Matches(image, filter) => match scene.image(*image) {
                Some(document) => matches(filter, document),
                None => matches(filter, &RawDocumentBuf::new()),
            },
            Self::Pair(left, relation, right) => {
                let rights = relate::values(right, scene);
                relate::values(left, scene)
                    .iter()
                    .any(|left| rights.iter().any(|right| relate::holds(left, *relation, right)))
            }
        }
    }

    /// What a store can do with it on reads.
    pub(crate) fn verdict(self) -> Verdict {
        let Bounds { lower, upper } = self.bounds();
        match (upper.simplify(), lower.simplify()) {
            (Filter::Never, _) => Verdict::Never,
            (_, Filter::Always) => Verdict::Always,
            (upper, lower) if upper == lower => Verdict::When(upper),
            (upper, _) => Verdict::PerDocument(upper, Check(Arc::new(self))),
        }
    }

    fn bounds(&self) -> Bounds {
        match self {
            // A stored document is its own previous image.
            Self::Always | Self::Present(_) => Bounds::exact(Filter::Always),
            Self::Never => Bounds::exact(Filter::Never),
            Self::All(parts) => Bounds::join(parts, Filter::And),
            Self::Any(parts) => Bounds::join(parts, Filter::Or),
            Self::Not(inner) => {
                let Bounds { lower, upper } = inner.bounds();
                Bounds { lower: Filter::Not(Box::new(upper)), upper: Filter::Not(Box::new(lower)) }
            }
            Self::Matches(_, filter) => Bounds::exact(filter.clone()),
            Self::Pair(..) => Bounds { lower: Filter::Never, upper: Filter::Always },
        }
    }
}

/// Two filters with the truth in between: `lower` matches only what holds, `upper` all that holds.
struct Bounds {
    lower: Filter,
    upper: Filter,
}

impl Bounds {
    fn exact(filter: Filter) -> Self {
        Self { lower: filter.clone(), upper: filter }
    }

    fn join(parts: &[Condition], with: fn(Vec<Filter>) -> Filter) -> Self {
        let (lower, upper) = parts
            .iter()
            .map(|part| {
                let Bounds { lower, upper } = part.bounds();
                (lower, upper)
            })
            .unzip();
        Self { lower: with(lower), upper: with(upper) }
    }
}

fn single_or(
    mut parts: Vec<Condition>,
    neutral: Condition,
    join: fn(Vec<Condition>) -> Condition,
) -> Condition {
    match parts.len() {
        0 => neutral,
        1 => parts.remove(0),
        _ => join(parts),
    }
}
