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
        let upper = self.bound(true).simplify();
        if self.is_a_filter() {
            return match upper {
                Filter::Never => Verdict::Never,
                Filter::Always => Verdict::Always,
                exact => Verdict::When(exact),
            };
        }
        match (upper, self.bound(false).simplify()) {
            (Filter::Never, _) => Verdict::Never,
            (_, Filter::Always) => Verdict::Always,
            (upper, lower) if upper == lower => Verdict::When(upper),
            (upper, _) => Verdict::PerDocument(upper, Check(Arc::new(self))),
        }
    }

    /// Whether a filter can say all of it.
    fn is_a_filter(&self) -> bool {
        match self {
            Self::Always | Self::Never | Self::Present(_) | Self::Matches(..) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_a_filter),
            Self::Not(inner) => inner.is_a_filter(),
            Self::Pair(..) => false,
        }
    }

    /// A filter that matches all that holds (`upper`), or only what holds.
    fn bound(&self, upper: bool) -> Filter {
        let each = |parts: &[Self]| parts.iter().map(|part| part.bound(upper)).collect();
        match self {
            // A stored document is its own previous image.
            Self::Always | Self::Present(_) => Filter::Always,
            Self::Never => Filter::Never,
            Self::All(parts) => Filter::And(each(parts)),
            Self::Any(parts) => Filter::Or(each(parts)),
            Self::Not(inner) => Filter::Not(Box::new(inner.bound(!upper))),
            Self::Matches(_, filter) => filter.clone(),
            Self::Pair(..) if upper => Filter::Always,
            Self::Pair(..) => Filter::Never,
        }
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
