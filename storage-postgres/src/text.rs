//! Texts as columns: PostgreSQL's `text` holds every character but NUL.

use std::borrow::Cow;

/// The text with NUL as `\0`, and so `\` as `\\`.
pub(crate) fn to_column(text: &str) -> Cow<'_, str> {
    if text.contains(['\\', '\0']) {
        Cow::Owned(text.replace('\\', "\\\\").replace('\0', "\\0"))
    } else {
        Cow::Borrowed(text)
    }
}

/// What [`to_column`] was given.
pub(crate) fn from_column(column: String) -> String {
    if !column.contains('\\') {
        return column;
    }
    let mut text = String::with_capacity(column.len());
    let mut characters = column.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(if characters.next() == Some('0') { '\0' } else { '\\' }),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "ada@x", "a\0b", "\\0", "\\\0\\", "ü\\"] {
            let column = to_column(text).into_owned();
            assert!(!column.contains('\0'));
            assert_eq!(from_column(column), text);
        }
    }
}
