//! What a password hash costs.

use argon2::Params;

/// The most memory that a stored hash may ask for, in KiB, whatever made it: 256 MiB.
pub(super) const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST: PasswordCost = PasswordCost { memory_kib: MOST_MEMORY_KIB, passes: 32, lanes: 16 };

/// What a password hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl PasswordCost {
    /// OWASP's recommendation: 19 MiB, two passes, one lane.
    pub const RECOMMENDED: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    pub(super) fn of(params: &Params) -> Self {
        Self { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
    }

    pub(super) fn is_bearable(self) -> bool {
        self.memory_kib <= MOST.memory_kib && self.passes <= MOST.passes && self.lanes <= MOST.lanes
    }
}
