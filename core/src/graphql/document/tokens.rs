//! Counts tokens and brackets without building anything (GraphQL, section 2.1).

use super::too_much;
use crate::graphql::error::GraphqlError;
use crate::limits::Limits;

/// Refuses a document with too many tokens or too deep brackets. What is no GraphQL at all is left to the
/// parser to say.
pub(in crate::graphql) fn check_tokens(source: &str, limits: &Limits) -> Result<(), GraphqlError> {
    // Selections and the values inside them nest in one another.
    let deepest = limits.graphql_depth.saturating_add(limits.value_depth);
    let (mut tokens, mut depth) = (0_usize, 0_usize);
    let mut rest = source.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = match first {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                rest = after;
                continue;
            }
            b'#' => {
                rest = skip(after, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'{' | b'[' | b'(' => {
                depth += 1;
                after
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                after
            }
            b'"' => match after.strip_prefix(b"\"\"") {
                Some(block) => skip_block(block),
                None => skip_string(after),
            },
            byte if is_word(byte) => skip(after, |byte| is_word(byte) || byte == b'.'),
            _ => after,
        };
        tokens += 1;
        if tokens > limits.graphql_tokens {
            return Err(too_much("graphql_tokens", limits.graphql_tokens));
        }
        if depth > deepest {
            return Err(too_much("graphql_depth", limits.graphql_depth));
        }
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip(bytes: &[u8], keep: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|byte| !keep(*byte)).unwrap_or(bytes.len());
    bytes.get(end..).unwrap_or_default()
}

/// To behind the closing quote, or to the end of the line.
fn skip_string(mut bytes: &[u8]) -> &[u8] {
    while let Some((&first, after)) = bytes.split_first() {
        bytes = match first {
            b'"' => return after,
            b'\n' | b'\r' => return bytes,
            b'\\' => after.get(1..).unwrap_or_default(),
            _ => after,
        };
    }
    bytes
}

/// To behind the closing three quotes; `\"""` does not close.
fn skip_block(mut bytes: &[u8]) -> &[u8] {
    while let Some((&first, after)) = bytes.split_first() {
        if let Some(after) = bytes.strip_prefix(b"\"\"\"") {
            return after;
        }
        bytes = match first {
            b'\\' => after.strip_prefix(b"\"\"\"").unwrap_or(after),
            _ => after,
        };
    }
    bytes
}
