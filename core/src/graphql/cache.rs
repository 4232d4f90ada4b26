//! Prepared operations, kept by the hash of their document: bounded, least recently used out first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{Context, SHA256};

use super::plan::{Plan, Prepared};

/// SHA-256 of a document and the operation's name.
pub(crate) type CacheKey = [u8; 32];

/// Prepared operations by their document.
#[derive(Debug)]
pub(crate) struct PlanCache {
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    clock: u64,
    by_key: HashMap<CacheKey, (Arc<CachedOperation>, u64)>,
}

/// An operation with the plans that were made of it.
///
/// There is one plan, unless `@skip` or `@include` depend on variables: then there is one for each
/// combination of their values that was asked for, up to a bound.
#[derive(Debug)]
pub(crate) struct CachedOperation {
    /// The operation and the variables that its shape depends on.
    pub(crate) prepared: Prepared,
    plans: Mutex<Vec<Variant>>,
}

/// A plan, and the values of the variables in conditions that it is for.
type Variant = (Vec<Option<bool>>, Arc<Plan>);

/// Plans kept for one operation.
const VARIANTS: usize = 16;

impl PlanCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    pub(crate) fn key(document: &str, operation_name: Option<&str>) -> CacheKey {
        let mut hash = Context::new(&SHA256);
        hash.update(document.as_bytes());
        if let Some(name) = operation_name {
            // UTF-8 has no such byte, so no document can imitate document and name.
            hash.update(&[0xFF]);
            hash.update(name.as_bytes());
        }
        let mut key = [0; 32];
        for (slot, byte) in key.iter_mut().zip(hash.finish().as_ref()) {
            *slot = *byte;
        }
        key
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Arc<CachedOperation>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let now = entries.clock;
        let (operation, used) = entries.by_key.get_mut(key)?;
        *used = now;
        Some(operation.clone())
    }

    pub(crate) fn put(&self, key: CacheKey, prepared: Prepared) -> Arc<CachedOperation> {
        let operation = Arc::new(CachedOperation { prepared, plans: Mutex::default() });
        if self.capacity == 0 {
            return operation;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.by_key.len() >= self.capacity && !entries.by_key.contains_key(&key) {
            let oldest = entries.by_key.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                entries.by_key.remove(&oldest);
            }
        }
        entries.clock += 1;
        let now = entries.clock;
        entries.by_key.insert(key, (operation.clone(), now));
        operation
    }
}

impl CachedOperation {
    /// The plan for these values of the variables in `@skip` and `@include`, made when it is not there.
    pub(crate) fn plan<E>(
        &self,
        switches: &[Option<bool>],
        make: impl FnOnce() -> Result<Plan, E>,
    ) -> Result<Arc<Plan>, E> {
        let find =
            |plans: &[Variant]| plans.iter().find(|(key, _)| key == switches).map(|(_, plan)| plan.clone());
        if let Some(plan) = find(&self.plans.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(plan);
        }
        let plan = Arc::new(make()?);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= VARIANTS {
            plans.remove(0);
        }
        plans.push((switches.to_vec(), plan.clone()));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::ast::OperationKind;

    #[test]
    fn the_least_recently_used_document_goes_first() {
        let cache = PlanCache::new(2);
        let key = |text| PlanCache::key(text, None);
        cache.put(key("a"), Prepared::default());
        cache.put(key("b"), Prepared::default());
        assert!(cache.get(&key("a")).is_some());
        cache.put(key("c"), Prepared::default());
        assert!(cache.get(&key("a")).is_some());
        assert!(cache.get(&key("b")).is_none());
        assert!(cache.get(&key("c")).is_some());
    }

    #[test]
    fn document_and_name_make_the_key() {
        assert_ne!(PlanCache::key("a", None), PlanCache::key("a", Some("")));
        assert_ne!(PlanCache::key("ab", None), PlanCache::key("a", Some("b")));
        assert_eq!(PlanCache::key("a", Some("b")), PlanCache::key("a", Some("b")));
    }

    #[test]
    fn one_plan_is_made_for_each_combination_of_switches() {
        let cache = PlanCache::new(1);
        let operation = cache.put(PlanCache::key("a", None), Prepared::default());
        let mut made = 0;
        for switches in [[Some(true)], [Some(false)], [Some(true)], [None], [None]] {
            operation
                .plan(&switches, || {
                    made += 1;
                    Ok::<_, ()>(Plan {
                        kind: OperationKind::Query,
                        roots: Vec::new(),
                        introspection: Vec::new(),
                        refused: None,
                        calls: Vec::new(),
                    })
                })
                .unwrap();
        }
        assert_eq!(made, 3);
    }
}
