//! What a new password has to be like.

/// What a new password has to be like; those that are set already stay good.
///
/// Off by default, as the original asked for a length only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters (NIST SP 800-63B-4 asks for 15 where the password is the only factor);
    /// [`Limits::password`](crate::limits::Limits::password) stays the least and the most.
    pub min: usize,
    /// Whether common passwords, and those made of the account's own address, are refused.
    pub forbid_common: bool,
}
