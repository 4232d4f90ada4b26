//! Attacks 1 to 28: the parsing of tokens, and keys.
