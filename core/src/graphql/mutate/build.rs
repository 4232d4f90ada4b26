//! Insert inputs to documents, with the related documents that they create.

use std::future::Future;
use std::pin::Pin;

use bson::{Bson, Document, RawDocumentBuf};

use super::change::{Change, Edit};
use crate::graphql::catalog::{InputIndex, InputObject, Meaning, Relation};
use crate::graphql::coerce::Input;
use crate::graphql::error::{GraphqlError, code};
use crate::graphql::filter_input::scalar_value;
use crate::graphql::run::{Failure, Session, at};

type Pending<'f, T> = Pin<Box<dyn Future<Output = Failure<T>> + Send + 'f>>;

impl<'a> Session<'a> {
    /// The document of an insert input. Related documents are created on the way.
    pub(super) fn document<'f>(&'f mut self, input: &'f Input) -> Pending<'f, Document> {
        Box::pin(async move {
            let Input::Object(index, fields) = input else { return Err(misplaced("null")) };
            let known = self.input(*index)?;
            let mut document = Document::new();
            for (place, value) in fields {
                let Some(field) = known.fields.get(*place) else { continue };
                let Meaning::Set { stored, relation } = &field.meaning else {
                    return Err(misplaced(&field.name));
                };
                let value = match relation {
                    Some(relation) => self.relation_value(relation, value).await?,
                    None => Some(self.value(value).await?),
                };
                document.extend(value.map(|value| (stored.clone(), value)));
            }
            Ok(document)
        })
    }

    /// What an update input changes. Related documents are created on the way.
    pub(super) async fn changes(&mut self, input: &Input) -> Failure<Vec<Change>> {
        let mut changes = Vec::new();
        self.note_changes(input, &mut Vec::new(), &mut changes).await?;
        Change::refuse_overlap(&changes).map_err(|message| GraphqlError::new(code::BAD_INPUT, message))?;
        Ok(changes)
    }

    fn note_changes<'f>(
        &'f mut self,
        input: &'f Input,
        path: &'f mut Vec<String>,
        changes: &'f mut Vec<Change>,
    ) -> Pending<'f, ()> {
        Box::pin(async move {
            let Input::Object(index, fields) = input else { return Err(misplaced("null")) };
            let known = self.input(*index)?;
            for (place, value) in fields {
                let Some(field) = known.fields.get(*place) else { continue };
                let (stored, edit) = match (&field.meaning, value) {
                    (Meaning::Set { stored, relation: Some(relation) }, value) => {
                        (stored, self.relation_value(relation, value).await?.map(Edit::Set))
                    }
                    (Meaning::Set { stored, relation: None }, Input::Object(..)) => {
                        // Only the given sub-fields of an embedded object change.
                        path.push(stored.clone());
                        self.note_changes(value, path, changes).await?;
                        path.pop();
                        continue;
                    }
                    (Meaning::Set { stored, relation: None }, value) => {
                        (stored, Some(Edit::Set(self.value(value).await?)))
                    }
                    (Meaning::Unset { stored }, value) => {
                        let unset = *value == Input::Scalar(Bson::Boolean(true));
                        (stored, unset.then_some(Edit::Unset))
                    }
                    (Meaning::Increment { stored }, Input::Scalar(by)) => {
                        (stored, Some(Edit::Increment(by.clone())))
                    }
                    (Meaning::Increment { stored }, _) => (stored, None),
                    _ => return Err(misplaced(&field.name)),
                };
                if let Some(edit) = edit {
                    let path = path.iter().chain([stored]).cloned().collect();
                    changes.push(Change { path, edit });
                }
            }
            Ok(())
        })
    }

    fn value<'f>(&'f mut self, input: &'f Input) -> Pending<'f, Bson> {
        Box::pin(async move {
            if let Some(value) = scalar_value(input) {
                return Ok(value);
            }
            match input {
                Input::List(items) => {
                    let mut values = Vec::with_capacity(items.len());
                    for item in items {
                        values.push(self.value(item).await?);
                    }
                    Ok(Bson::Array(values))
                }
                input => Ok(Bson::Document(self.document(input).await?)),
            }
        })
    }

    /// The key, or the keys, that a relation input stores; `None` when it says nothing.
    async fn relation_value(&mut self, relation: &Relation, input: &Input) -> Failure<Option<Bson>> {
        let Input::Object(index, fields) = input else { return Ok(Some(Bson::Null)) };
        let known = self.input(*index)?;
        let mut link = None;
        let mut create = None;
        for (place, value) in fields {
            match known.fields.get(*place).map(|field| &field.meaning) {
                Some(Meaning::Create) if *value != Input::Null => create = Some(value),
                Some(Meaning::Link) => link = scalar_value(value),
                _ => {}
            }
        }
        let Some(create) = create else { return Ok(link) };
        let inputs = match create {
            Input::List(inputs) => inputs.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut documents = Vec::with_capacity(inputs.len());
        for input in inputs {
            documents.push(self.document(input).await?);
        }
        let created = self.insert_into(relation.target, documents).await?;
        let keys: Vec<Bson> =
            created.iter().map(|document| foreign_key(relation, document)).collect::<Result<_, _>>()?;
        Ok(if relation.is_list { Some(Bson::Array(keys)) } else { keys.into_iter().next() })
    }

    fn input(&self, index: InputIndex) -> Failure<&'a InputObject> {
        let input = self.catalog.inputs.get(index.0);
        input.ok_or_else(|| GraphqlError::new(code::INTERNAL, "internal server error"))
    }
}

/// The created document's value of the field that the relation stores.
fn foreign_key(relation: &Relation, document: &RawDocumentBuf) -> Failure<Bson> {
    let key = at(document, &relation.foreign).and_then(|key| Bson::try_from(key).ok());
    key.filter(|key| *key != Bson::Null).ok_or_else(|| {
        let message = format!("the created document has no `{}` to refer to it by", relation.foreign);
        GraphqlError::new(code::BAD_INPUT, message)
    })
}

fn misplaced(name: &str) -> GraphqlError {
    GraphqlError::new(code::BAD_INPUT, format!("`{name}` cannot be stored"))
}
