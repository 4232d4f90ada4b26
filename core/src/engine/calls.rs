//! Calls of functions and of services: from clients, from Rust, and from functions themselves.

use std::collections::BTreeSet;
use std::net::IpAddr;

use async_trait::async_trait;
use bson::{Bson, Document, doc};
use bytes::Bytes;

use super::App;
use super::host::AppParts;
use crate::actor::Actor;
use crate::app::ConfigValue;
use crate::data::{Call, Request, failed};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{CallContext, FunctionCall, FunctionHost};
use crate::graphql::ExecuteContext;
use crate::graphql::coerce::Variables;
use crate::graphql::run::Session;
use crate::id::{CollectionId, UserId};
use crate::observe::Notes;
use crate::rules::{Lazily, Permit};

impl App {
    /// Calls a data service as clients do, under the actor's rules: `("mongodb-atlas", "find", [{"database": …,
    /// "collection": …, "query": …}])`.
    ///
    /// # Errors
    /// [`ErrorKind::ServiceNotFound`]; [`ErrorKind::MongoDbError`] for what is not understood;
    /// [`ErrorKind::NoMatchingRuleFound`] and [`ErrorKind::NotPermitted`] by the rules.
    pub async fn call_service(
        &self,
        actor: &Actor,
        service: &str,
        name: &str,
        arguments: Vec<Bson>,
    ) -> Result<Bson> {
        let context = CallContext::detached(actor.clone());
        self.parts().serve((&context, None), service, name, arguments).await
    }

    /// Calls a function of the app for an actor: one of the host's, or else one of the export's. Whether clients may call
    /// it is not asked.
    ///
    /// # Errors
    /// [`ErrorKind::FunctionNotFound`]; [`ErrorKind::FunctionExecutionError`] with what it threw;
    /// [`ErrorKind::ExecutionTimeLimitExceeded`].
    pub async fn call_function(&self, actor: &Actor, name: &str, arguments: Vec<Bson>) -> Result<Bson> {
        self.parts().functions.call(name, FunctionCall::new(actor.clone(), arguments)).await
    }

    /// A call that a client has sent: private functions are not there, and `can_evaluate` is asked.
    pub(crate) async fn call_from(
        &self,
        (context, peer, notes): (CallContext, Option<IpAddr>, Option<&Notes>),
        (service, name): (Option<&str>, &str),
        arguments: Vec<Bson>,
    ) -> Result<Bson> {
        let parts = self.parts();
        if let Some(service) = service {
            return parts.serve((&context, notes), service, name, arguments).await;
        }
        parts.functions.need_public(name)?;
        if let Some(permit) = parts.permits.get(name) {
            parts.permitted((&context, notes), permit.as_ref(), name).await?;
        }
        if let Some(notes) = notes {
            notes.function(name, 1);
        }
        let actor = context.actor().clone();
        parts.functions.call(name, FunctionCall { actor, arguments, peer, context }).await
    }
}

impl AppParts {
    /// Answers a call of a data service, for the context's actor.
    async fn serve(
        &self,
        (context, notes): (&CallContext, Option<&Notes>),
        service: &str,
        name: &str,
        arguments: Vec<Bson>,
    ) -> Result<Bson> {
        let service = self.data_service(service)?;
        let request = Request::parse(name, arguments)?;
        let collection =
            self.config.collection_id(service, request.database.as_str(), request.collection.as_str());
        let facts = || Document::clone(&context.request);
        let facts = Lazily::new(&facts);
        let checks = self.checks();
        let execution = self.execution(&checks, (&context.actor, &facts), (None, notes));
        let variables = Variables::new();
        let session = Session::new(&execution, self.graphql.catalog(), self.graphql.limits(), &variables);
        let shared = match &context.view {
            // What is only read need not open a transaction, but has to see what was written in one that is open.
            Some(view) if request.operation.writes() || view.has_transaction().await => Some(view.clone()),
            _ => None,
        };
        match shared {
            Some(view) => {
                let mut session = session.within(view).sharing();
                session.open_transaction().await.map_err(failed)?;
                Call::new(&mut session, &collection).await?.perform(request).await
            }
            None if request.operation.writes() => self.write(&execution, &collection, request).await,
            None => {
                let mut session = session;
                session.open_snapshot().await.map_err(failed)?;
                Call::new(&mut session, &collection).await?.perform(request).await
            }
        }
    }

    /// Carries out a writing call in a transaction of its own, again and again while others come in between.
    async fn write(
        &self,
        execution: &ExecuteContext<'_>,
        collection: &CollectionId,
        request: Request,
    ) -> Result<Bson> {
        let (variables, limits) = (Variables::new(), self.graphql.limits());
        let mut attempt = 0;
        loop {
            let session = Session::new(execution, self.graphql.catalog(), limits, &variables);
            let mut session = session.attempt(attempt).sharing();
            let view = session.view();
            let done = written(&mut session, collection, request.clone()).await;
            let done = match done {
                Ok(answer) => session.commit().await.map(|()| answer).map_err(failed),
                Err(error) => {
                    session.rollback().await;
                    Err(error)
                }
            };
            attempt += 1;
            if done.is_ok() || !view.is_contended() || attempt >= limits.transaction_attempts {
                return done;
            }
        }
    }

    /// The data source of this name. The web client calls it `mongo-db` where its user names none; that, and the usual
    /// name, are the only one that there is.
    fn data_service<'n>(&'n self, name: &'n str) -> Result<&'n str> {
        let collections = self.config.collections.iter().map(|collection| &*collection.id.service);
        let defaults = self.config.default_rules.iter().map(|default| &*default.service);
        let known: BTreeSet<&str> = collections.chain(defaults).collect();
        let usual = ["mongodb-atlas", "mongo-db"].contains(&name);
        match (known.get(name), known.len(), known.first()) {
            (Some(known), ..) => Ok(known),
            (None, 1, Some(only)) if usual => Ok(only),
            (None, 0, _) if usual => Ok("mongodb-atlas"),
            _ => Err(Error::new(ErrorKind::ServiceNotFound, format!("service not found: '{name}'"))),
        }
    }

    /// Asks a function's `can_evaluate`.
    async fn permitted(
        &self,
        (context, notes): (&CallContext, Option<&Notes>),
        permit: Option<&Permit>,
        name: &str,
    ) -> Result<()> {
        let facts = || Document::clone(&context.request);
        let facts = Lazily::new(&facts);
        let checks = self.checks();
        let execution = self.execution(&checks, (&context.actor, &facts), (None, notes));
        let variables = Variables::new();
        let session = Session::new(&execution, self.graphql.catalog(), self.graphql.limits(), &variables);
        let permitted = match permit {
            Some(permit) => session.judge.permits(permit).await.map_err(failed)?,
            // It was not understood, which the report says.
            None => false,
        };
        if permitted {
            return Ok(());
        }
        let text = format!("the function '{name}' may not be called by this user");
        Err(Error::new(ErrorKind::NotPermitted, text))
    }
}

async fn written(session: &mut Session<'_>, collection: &CollectionId, request: Request) -> Result<Bson> {
    session.open_transaction().await.map_err(failed)?;
    Call::new(session, collection).await?.perform(request).await
}

#[async_trait]
impl FunctionHost for AppParts {
    async fn call_service(
        &self,
        context: &CallContext,
        service: &str,
        name: &str,
        arguments: Vec<Bson>,
    ) -> Result<Bson> {
        self.serve((context, None), service, name, arguments).await
    }

    async fn call_function(&self, context: &CallContext, name: &str, arguments: Vec<Bson>) -> Result<Bson> {
        let (actor, context) = (context.caller.clone(), context.clone());
        let call = FunctionCall { actor, arguments, peer: None, context };
        self.functions.call(name, call).await
    }

    async fn fetch(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.config.egress.send(&self.env, request, self.graphql.limits().fetched).await
    }

    async fn user(&self, id: &str) -> Result<Actor> {
        let unknown = || Error::new(ErrorKind::UserNotFound, format!("user not found: '{id}'"));
        let user = UserId::parse(id).ok_or_else(unknown)?;
        self.auth.act_as(user).await
    }

    fn value(&self, name: &str) -> Result<Option<Bson>> {
        if let Some(ConfigValue::Missing { secret }) = self.config.values.get(name) {
            let text = format!("the value `{name}` stands in the secret `{secret}`, which is not known");
            return Err(Error::new(ErrorKind::FunctionExecutionError, text));
        }
        Ok(self.rules.values().get(name).cloned())
    }

    fn environment(&self) -> Document {
        self.rules.environment().clone()
    }

    fn app(&self) -> Document {
        doc! { "id": self.sessions.domain().to_hex(), "clientAppId": self.id.as_str(), "name": &self.config.name }
    }
}
