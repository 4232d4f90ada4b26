//! All documents: the state that readers take, and the turn that writers wait for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use backstitch::env::Clock;
use backstitch::id::CollectionId;
use backstitch::store::{
    Capabilities, CollectionSpec, DocumentStore, Result, Snapshot, Transaction, TransactionOptions,
};

use crate::MemoryStore;
use crate::collection::Collection;
use crate::snapshot::MemorySnapshot;
use crate::transaction::MemoryTransaction;
use crate::turns::Turns;

/// The current state, the clock, and the queue of writers.
pub(crate) struct Documents {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) turns: Arc<Turns>,
    current: RwLock<Arc<State>>,
}

/// One state of all collections; a clone shares them.
#[derive(Clone, Default)]
pub(crate) struct State {
    collections: HashMap<CollectionId, Arc<Collection>>,
}

impl State {
    /// The collection; empty when nothing was ever written to it.
    pub(crate) fn collection(&self, id: &CollectionId) -> Arc<Collection> {
        self.collections.get(id).cloned().unwrap_or_default()
    }

    /// The collection to write to; what others hold stays as it is.
    pub(crate) fn collection_mut(&mut self, id: &CollectionId) -> &mut Collection {
        if !self.collections.contains_key(id) {
            self.collections.insert(id.clone(), Arc::default());
        }
        Arc::make_mut(self.collections.entry(id.clone()).or_default())
    }
}

impl Documents {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, turns: Arc::default(), current: RwLock::default() }
    }

    /// What is visible now.
    pub(crate) fn current(&self) -> Arc<State> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a state visible; only who has the turn may.
    pub(crate) fn publish(&self, state: State) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }
}

#[async_trait]
impl DocumentStore for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { persistent: false, snapshot_isolation: true }
    }

    async fn prepare(&self, collections: &[CollectionSpec]) -> Result<()> {
        let _turn = self.documents.turns.take().await?;
        let mut state = State::clone(&self.documents.current());
        for spec in collections {
            state.collection_mut(&spec.id).prepare(&spec.indexes)?;
        }
        self.documents.publish(state);
        Ok(())
    }

    async fn collections(&self) -> Result<Vec<CollectionSpec>> {
        let state = self.documents.current();
        let spec = |(id, collection): (&CollectionId, &Arc<Collection>)| collection.spec(id);
        let mut collections: Vec<_> = state.collections.iter().map(spec).collect();
        collections.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(collections)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(MemorySnapshot(self.documents.current())))
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn Transaction>> {
        let turn = self.documents.turns.take().await?;
        Ok(Box::new(MemoryTransaction::new(Arc::clone(&self.documents), turn, options)))
    }
}
