//! Explaining rules: what an actor may do, and why.

use std::sync::{Mutex, PoisonError};

use bson::{Bson, RawDocument};
use serde_json::{Value, json};

use super::{App, AppParts};
use crate::actor::Actor;
use crate::app::{ConfigValue, ValidationAction};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::CallContext;
use crate::graphql::{GraphqlRequest, GraphqlResponse};
use crate::id::CollectionId;
use crate::rules::{Action, Answers, Circumstances, Explanation, Lazily, Question, RuleCall};
use crate::schema::Violation;

impl App {
    /// What an actor may do in a collection, and why: which role decides, what each part of it says with its values,
    /// what is asked of the store, which fields are cut, what denied it. Functions that rules call are called for it;
    /// nothing is read or written.
    ///
    /// ```
    /// # use backstitch::{actor::Actor, app::{AppConfig, CollectionConfig}, engine::Engine, store::Store};
    /// # use backstitch::bson::{doc, RawDocumentBuf};
    /// # use backstitch::rules::{Action, Question};
    /// # use serde_json::json;
    /// # async fn explained(store: std::sync::Arc<dyn Store>) -> Result<(), Box<dyn std::error::Error>> {
    /// let notes = CollectionConfig::new("notes").rules(json!({
    ///     "roles": [{ "name": "owner", "apply_when": { "owner": "%%user.id" }, "read": true, "write": true }]
    /// }));
    /// let app = AppConfig::new("notes").collection(notes);
    /// let notes = app.collections[0].id.clone();
    /// let engine = Engine::builder().store(store).public_url("http://localhost").app(app).build().await?;
    ///
    /// let app = engine.apps().next().ok_or("no app")?;
    /// let ada = Actor::imagined(app.id().clone(), doc! { "id": "ada", "type": "normal" });
    /// let stored = RawDocumentBuf::try_from(&doc! { "owner": "bob" })?;
    /// let explained = app.explain(&ada, &notes, &Question::new(Action::Read).about(&stored)).await?;
    ///
    /// assert_eq!(explained.allowed, Some(false));
    /// assert_eq!(explained.denied_by.as_deref(), Some("no role applies"));
    /// assert!(explained.to_string().contains("owner = %%user.id   [\"bob\" = \"ada\"]"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParameter`] for an update with one of its two images; what a function failed with.
    pub async fn explain(
        &self,
        actor: &Actor,
        collection: &CollectionId,
        question: &Question<'_>,
    ) -> Result<Explanation> {
        if question.action == Action::Update && question.document.is_some() != question.before.is_some() {
            let text = "an update is explained with the document before and after, or with none";
            return Err(Error::new(ErrorKind::InvalidParameter, text));
        }
        let parts = self.parts();
        let nothing = bson::Document::new;
        let (request, answers) = (Lazily::new(&nothing), Answers::default());
        let circumstances = Circumstances { actor, request: &request, answers: &answers };
        let explain = || parts.rules.explain(circumstances, collection, question);
        let mut explanation = answers.settle(explain, |wanted| self.answered(actor, wanted)).await?;
        if let (Action::Insert | Action::Update, Some(after)) = (question.action, question.document) {
            let images = (question.before, after);
            let violation = || parts.rules.violation(circumstances, collection, images);
            let violation = answers.settle(violation, |wanted| self.answered(actor, wanted)).await?;
            self.add_violation(&mut explanation, (collection, after), violation);
        }
        let shown = self.hidden(serde_json::to_value(&explanation).map_err(Error::internal)?);
        serde_json::from_value(shown).map_err(Error::internal)
    }

    /// Where a GraphQL request has its explanations noted, if it asks for them and may.
    pub(super) fn explanations(
        &self,
        actor: &Actor,
        asked: &GraphqlRequest,
        request: &Lazily<'_>,
    ) -> Option<Mutex<Vec<Explanation>>> {
        if asked.extensions.get("explain") != Some(&Value::Bool(true)) {
            return None;
        }
        let answers = Answers::default();
        let circumstances = Circumstances { actor, request, answers: &answers };
        self.parts().rules.explains_to(circumstances).then(Mutex::default)
    }

    /// The response with what was explained in its `extensions`.
    pub(super) fn with_explanations(
        &self,
        response: GraphqlResponse,
        explanations: Mutex<Vec<Explanation>>,
    ) -> GraphqlResponse {
        let explained = explanations.into_inner().unwrap_or_else(PoisonError::into_inner);
        let shown = serde_json::to_value(&explained).map(|shown| self.hidden(shown));
        response.with_extensions(&json!({ "explain": shown.unwrap_or_default() }))
    }

    /// The same without the app's secrets, wherever they have come to stand.
    fn hidden(&self, mut explained: Value) -> Value {
        let secrets = self.parts().config.values.values().filter_map(|value| match value {
            ConfigValue::Secret(secret) if !secret.expose().is_empty() => Some(secret.expose()),
            ConfigValue::Secret(_) | ConfigValue::Plain(_) | ConfigValue::Missing { .. } => None,
        });
        let mut secrets: Vec<&str> = secrets.collect();
        // A secret may be the beginning of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        if !secrets.is_empty() {
            hide_in(&mut explained, &secrets);
        }
        explained
    }

    async fn answered(&self, actor: &Actor, wanted: Vec<RuleCall>) -> Result<Vec<Bson>> {
        let asked = (actor, &CallContext::detached(actor.clone()));
        self.parts().functions.answer_all(asked, None, wanted, self.limits().function_calls).await
    }

    /// What the rules allow may still not fit the schema.
    fn add_violation(
        &self,
        explanation: &mut Explanation,
        (collection, after): (&CollectionId, &RawDocument),
        of_rules: Option<Violation>,
    ) {
        let AppParts { config, schemas, .. } = self.parts();
        if explanation.allowed != Some(true) || config.graphql.write_validation != ValidationAction::Error {
            return;
        }
        let schema = schemas.get(collection);
        let of_keywords = schema.and_then(|schema| schema.check(after, config.graphql.nulls).err());
        if let Some(violation) = of_keywords.or(of_rules) {
            explanation.allowed = Some(false);
            explanation.denied_by = Some(format!("the document does not fit the schema: {violation}"));
        }
    }
}

/// What stands in the place of a secret.
const HIDDEN: &str = "(secret)";

fn hide_in(json: &mut Value, secrets: &[&str]) {
    match json {
        Value::String(text) => {
            for secret in secrets {
                // Texts quote values as JSON does.
                let quoted = Value::from(*secret).to_string();
                let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                for shown in [*secret, inner.unwrap_or(secret)] {
                    if text.contains(shown) {
                        *text = text.replace(shown, HIDDEN);
                    }
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_in(item, secrets)),
        Value::Object(members) => members.values_mut().for_each(|item| hide_in(item, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
