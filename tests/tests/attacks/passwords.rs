//! Attacks 57 to 69: passwords and accounts.
