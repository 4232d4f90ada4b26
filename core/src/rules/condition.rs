//! What is left of an expression once the actor is known: a condition on a document.
//!
//! 1. Logic is two-valued; an absent image is an empty document. Only as long as a function has not answered is a
//!    judgement unknown, and that permits nothing.
//! 2. [`Condition::verdict`] turns a condition into what a store can filter by. What no filter can
//!    say (a field against another field, a function) is let through by the filter and judged per document.

use std::collections::BTreeSet;
use std::sync::Arc;

use bson::{Bson, RawDocument, RawDocumentBuf};

use super::additional;
use super::answers::Answers;
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
    /// Some field of the document, but these, fulfils a condition on its own value.
    SomeField {
        but: BTreeSet<String>,
        condition: Box<Condition>,
    },
}

/// The images of one document that a condition is judged on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) root: &'a RawDocument,
    pub(crate) previous: Option<&'a RawDocument>,
    pub(crate) next: &'a RawDocument,
    /// The value that a schema's `validate` judges, and the one before, each in a document of its own.
    pub(crate) value: Option<&'a RawDocument>,
    pub(crate) previous_value: Option<&'a RawDocument>,
    /// What functions have answered.
    pub(crate) answers: &'a Answers,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    Holds,
    Fails,
    /// A function has still to be called.
    Unknown,
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
pub(crate) struct Check {
    condition: Arc<Condition>,
    answers: Answers,
}

impl Check {
    pub(crate) fn accepts(&self, document: &RawDocument) -> bool {
        self.condition.holds(Scene::stored(document, &self.answers))
    }

    pub(crate) fn calls(&self) -> bool {
        self.condition.calls()
    }
}

impl<'a> Scene<'a> {
    /// A read: the document is all three images.
    pub(crate) fn stored(document: &'a RawDocument, answers: &'a Answers) -> Self {
        Self::of(document, (Some(document), document), answers)
    }

    /// A change from one image to another, judged on `root`, which is one of them.
    pub(crate) fn of(
        root: &'a RawDocument,
        (previous, next): (Option<&'a RawDocument>, &'a RawDocument),
        answers: &'a Answers,
    ) -> Self {
        Self { root, previous, next, value: None, previous_value: None, answers }
    }

    pub(crate) fn image(&self, image: Image) -> Option<&'a RawDocument> {
        match image {
            Image::Root => Some(self.root),
            Image::Previous | Image::PreviousOfEach => self.previous,
            Image::Next | Image::NextOfEach => Some(self.next),
            Image::Value => self.value,
            Image::PreviousValue => self.previous_value,
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

    /// Whether it holds on this scene, as far as is known.
    pub(crate) fn holds(&self, scene: Scene<'_>) -> bool {
        self.judge(scene) == Judgement::Holds
    }

    /// Whether it holds on this scene. The first function that has not answered ends it.
    pub(crate) fn judge(&self, scene: Scene<'_>) -> Judgement {
        match self {
            Self::Always => Judgement::Holds,
            Self::Never => Judgement::Fails,
            Self::All(parts) => first_but(Judgement::Holds, parts, scene),
            Self::Any(parts) => first_but(Judgement::Fails, parts, scene),
            Self::Not(inner) => match inner.judge(scene) {
                Judgement::Holds => Judgement::Fails,
                Judgement::Fails => Judgement::Holds,
                Judgement::Unknown => Judgement::Unknown,
            },
            Self::Present(image) => scene.image(*image).is_some().into(),
            Self::Matches(image, filter) => match scene.image(*image) {
                Some(document) => matches(filter, document).into(),
                None => matches(filter, &RawDocumentBuf::new()).into(),
            },
            Self::Pair(left, relation, right) => {
                match (relate::values(left, scene), relate::values(right, scene)) {
                    (Some(lefts), Some(rights)) => {
                        related((left, &lefts), *relation, (right, &rights)).into()
                    }
                    _ => Judgement::Unknown,
                }
            }
            Self::SomeField { but, condition } => additional::judge_some(but, condition, scene),
        }
    }

    /// Whether judging it may call a function.
    pub(crate) fn calls(&self) -> bool {
        match self {
            Self::Always | Self::Never | Self::Present(_) | Self::Matches(..) => false,
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::calls),
            Self::Not(inner) => inner.calls(),
            Self::Pair(left, _, right) => {
                let mut found = false;
                left.each_call(&mut |_| found = true);
                right.each_call(&mut |_| found = true);
                found
            }
            Self::SomeField { condition, .. } => condition.calls(),
        }
    }

    /// What a store can do with it on reads.
    pub(crate) fn verdict(self, answers: &Answers) -> Verdict {
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
            (upper, _) => {
                let check = Check { condition: Arc::new(self), answers: answers.clone() };
                Verdict::PerDocument(upper, check)
            }
        }
    }

    /// Whether a filter can say all of it.
    fn is_a_filter(&self) -> bool {
        match self {
            Self::Always | Self::Never | Self::Present(_) | Self::Matches(..) => true,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_a_filter),
            Self::Not(inner) => inner.is_a_filter(),
            Self::Pair(..) | Self::SomeField { .. } => false,
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
            Self::Pair(..) | Self::SomeField { .. } if upper => Filter::Always,
            Self::Pair(..) | Self::SomeField { .. } => Filter::Never,
        }
    }
}

impl From<bool> for Judgement {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

/// Whether a value of one side stands in the relation to one of the other; of a side whose values are asked one by one
/// each of them has to.
fn related(
    (left, lefts): (&Operand, &[Bson]),
    relation: Relation,
    (right, rights): (&Operand, &[Bson]),
) -> bool {
    let holds = |left: &Bson, right: &Bson| relate::holds(left, relation, right);
    let is_of_each = |operand: &Operand| matches!(operand, Operand::Stored(image, _) if image.is_of_each());
    if lefts.is_empty() || rights.is_empty() {
        return false;
    }
    if is_of_each(left) {
        return lefts.iter().all(|left| rights.iter().any(|right| holds(left, right)));
    }
    if is_of_each(right) {
        return rights.iter().all(|right| lefts.iter().any(|left| holds(left, right)));
    }
    lefts.iter().any(|left| rights.iter().any(|right| holds(left, right)))
}

/// The first judgement that is another one.
fn first_but(neutral: Judgement, parts: &[Condition], scene: Scene<'_>) -> Judgement {
    parts.iter().map(|part| part.judge(scene)).find(|found| *found != neutral).unwrap_or(neutral)
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
