//! What may be seen of a document: all, nothing, or some of its fields.

use super::bound::BoundRules;
use super::condition::Scene;
use super::grants::{BoundField, Fields, deciding};
use super::projection::{Fetched, Projection, Tree};

/// What may be seen of a document or an embedded one.
#[derive(Clone, Copy, Debug)]
pub enum Visibility<'a> {
    /// All of it.
    Whole,
    /// Nothing of it: a document is left out, a field reads as null.
    Hidden,
    /// Some of its fields.
    Fields(FieldMask<'a>),
}

/// Which fields may be seen. Elements of an array share the mask of the array.
#[derive(Clone, Copy, Debug)]
pub struct FieldMask<'a> {
    /// What the rules say; `None` where they let all through.
    fields: Option<&'a Fields>,
    /// What is fetched; `None` where all is.
    fetched: Option<&'a Tree>,
    scene: Scene<'a>,
}

/// One of two reasons to hide something.
enum Part<T> {
    Whole,
    Hidden,
    Below(T),
}

impl<'a> Visibility<'a> {
    pub(crate) fn of(rules: &'a BoundRules, scene: Scene<'a>) -> Self {
        let fetched = rules.filters.projection.as_ref().map(Projection::tree);
        let masked = |fields| Self::Fields(FieldMask { fields, fetched, scene });
        match deciding(&rules.roles, scene) {
            Some(role) if !role.reads.holds(scene) => Self::Hidden,
            Some(role) if role.reads_whole.holds(scene) => match fetched {
                None => Self::Whole,
                Some(_) => masked(None),
            },
            Some(role) => masked(Some(&role.fields)),
            None => Self::Hidden,
        }
    }
}

impl<'a> FieldMask<'a> {
    /// What may be seen of the field of this name, one level down.
    pub fn field(&self, name: &str) -> Visibility<'a> {
        let below = |fields, fetched| Visibility::Fields(Self { fields, fetched, scene: self.scene });
        match (self.ruled(name), self.fetched(name)) {
            (Part::Hidden, _) | (_, Part::Hidden) => Visibility::Hidden,
            (Part::Whole, Part::Whole) => Visibility::Whole,
            (Part::Below(fields), Part::Whole) => below(Some(fields), None),
            (Part::Whole, Part::Below(fetched)) => below(None, Some(fetched)),
            (Part::Below(fields), Part::Below(fetched)) => below(Some(fields), Some(fetched)),
        }
    }

    /// Judges every field, so that every function that it takes is known to be wanted.
    pub(super) fn judge_all(&self) {
        fn judge(fields: &Fields, scene: Scene<'_>) {
            for (name, _) in scene.root.iter().map_while(Result::ok) {
                fields.other_read.about(name.as_str()).judge(scene);
            }
            for field in fields.named.values() {
                field.seen.judge(scene);
                field.read.judge(scene);
                field.nested.iter().for_each(|nested| judge(nested, scene));
            }
        }
        self.fields.into_iter().for_each(|fields| judge(fields, self.scene));
    }

    fn ruled(&self, name: &str) -> Part<&'a Fields> {
        let Some(fields) = self.fields else { return Part::Whole };
        let whole = match fields.named.get(name) {
            None => fields.other_read.about(name).holds(self.scene),
            Some(BoundField { nested: Some(nested), seen, .. }) if seen.holds(self.scene) => {
                return Part::Below(nested);
            }
            Some(field) => field.read.holds(self.scene),
        };
        if whole { Part::Whole } else { Part::Hidden }
    }

    fn fetched(&self, name: &str) -> Part<&'a Tree> {
        let Some(fetched) = self.fetched else { return Part::Whole };
        match fetched.field(name) {
            Some(Fetched::Part(below)) => Part::Below(below),
            Some(Fetched::Whole(true)) => Part::Whole,
            Some(Fetched::Whole(false)) => Part::Hidden,
            None if fetched.fetches_others() => Part::Whole,
            None => Part::Hidden,
        }
    }
}
