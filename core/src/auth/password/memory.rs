//! The memory of running hashes, kept from one hash to the next.
//!
//! An allocator need not find room for aligned blocks where it has just got such blocks back: glibc's places them
//! beside, and the process grows by hundreds of megabytes under a storm of log-ins. Kept memory also spares
//! each hash its page faults.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Block;

/// Memory that no hash uses right now: at most as many pieces as hashes run at once.
pub(super) struct Memory {
    blocks: usize,
    most: usize,
    idle: Mutex<Vec<Vec<Block>>>,
}

impl Memory {
    /// Keeps at most `most` pieces, each of the size that a hash of the current cost takes.
    pub(super) fn new(blocks: usize, most: usize) -> Self {
        Self { blocks, most, idle: Mutex::new(Vec::new()) }
    }

    /// Lends at least so many blocks. What is in them is of no meaning.
    pub(super) fn lend<T>(&self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if blocks > self.blocks {
            // A stored hash of a greater cost, which its log-in replaces: not to be kept.
            return work(&mut vec![Block::new(); blocks]);
        }
        let idle = self.idle().pop();
        let mut lent = idle.unwrap_or_else(|| vec![Block::new(); self.blocks]);
        let result = work(&mut lent);
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(lent);
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_up_to_its_bound_and_lent_again() {
        let memory = Memory::new(8, 1);
        let first = memory.lend(8, |outer| {
            assert_eq!(outer.len(), 8);
            // Two at once are two pieces, of which one is kept.
            memory.lend(8, |inner| assert_ne!(inner.as_ptr(), outer.as_ptr()));
            outer.as_ptr()
        });
        assert_eq!(memory.idle().len(), 1);
        let kept = memory.idle()[0].as_ptr();
        assert_ne!(first, kept, "the inner one came back first");
        assert_eq!(memory.lend(3, |less| less.as_ptr()), kept);
        assert_eq!(memory.lend(9, |more| more.len()), 9);
        assert_eq!(memory.idle().len(), 1);
    }
}
