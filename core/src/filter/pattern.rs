//! A regular expression of MongoDB's: PCRE, of which that part is understood that needs no backtracking.
//!
//! 1. `\d`, `\w`, `\s` and `\b` know ASCII only, as PCRE has it without `UCP`; `$` also stands before a last line break.
//! 2. Look-around, back-references and possessive repetitions are refused: time grows with the text alone.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

/// The most memory that a compiled pattern takes, bytes.
const SIZE: usize = 1 << 20;

/// A pattern with its options, compiled. A clone shares it.
#[derive(Clone)]
pub struct Pattern {
    source: Arc<str>,
    options: Arc<str>,
    compiled: Regex,
}

impl Pattern {
    /// Compiles a pattern; the options are any of `imsxu`.
    ///
    /// # Errors
    /// What is not understood of it.
    pub fn new(source: &str, options: &str) -> Result<Self, String> {
        let mut sorted: Vec<char> = options.chars().collect();
        sorted.sort_unstable();
        sorted.dedup();
        if let Some(unknown) = sorted.iter().find(|option| !"imsxu".contains(**option)) {
            return Err(format!("invalid flag in regex options: {unknown}"));
        }
        let has = |option| sorted.contains(&option);
        let compiled = RegexBuilder::new(&translated(source, has('m')))
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .ignore_whitespace(has('x'))
            .size_limit(SIZE)
            .build();
        let compiled = compiled.map_err(|error| {
            let reason = error.to_string();
            let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("the regular expression `{source}` is not understood: {last}")
        })?;
        Ok(Self { source: source.into(), options: sorted.into_iter().collect::<String>().into(), compiled })
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its options, in order.
    pub fn options(&self) -> &str {
        &self.options
    }

    /// What the `regex` crate made of it.
    pub(crate) fn compiled(&self) -> &Regex {
        &self.compiled
    }

    /// Whether it is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.options == other.options
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.source, self.options)
    }
}

/// The pattern with what it means in PCRE, in the syntax of the `regex` crate.
pub(crate) fn translated(source: &str, multi_line: bool) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut rest = source.chars().peekable();
    let mut in_class = false;
    while let Some(next) = rest.next() {
        match next {
            '\\' => escape(rest.next(), in_class, &mut out),
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                begin_class(&mut rest, &mut out);
            }
            // What begins a set inside a set there is an ordinary character in PCRE.
            '[' if rest.peek() != Some(&':') => out.push_str("\\["),
            '[' => named_class(&mut rest, &mut out),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', next]),
            '$' if !in_class && !multi_line => out.push_str("(?:\\n?\\z)"),
            other => out.push(other),
        }
    }
    out
}

/// A `]` that comes first stands for itself.
fn begin_class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
}

/// `[:alpha:]`, to its end.
fn named_class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    for next in rest.by_ref() {
        out.push(next);
        if next == ']' {
            break;
        }
    }
}

fn escape(escaped: Option<char>, in_class: bool, out: &mut String) {
    match escaped {
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') => out.push_str("[\\t-\\r ]"),
        Some('S') => out.push_str("[^\\t-\\r ]"),
        Some('b') if in_class => out.push_str("\\x08"),
        Some('b') => out.push_str("(?-u:\\b)"),
        Some('Z') => out.push_str("(?:\\n?\\z)"),
        Some(other) => out.extend(['\\', other]),
        None => out.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_pcre_says() {
        for (source, options, text, expected) in [
            ("^a.c$", "", "abc", true),
            ("^a.c$", "", "abc\n", true),
            ("^a.c$", "", "abc\nd", false),
            ("^b", "", "a\nb", false),
            ("^b", "m", "a\nb", true),
            ("a.b", "", "a\nb", false),
            ("a.b", "s", "a\nb", true),
            ("ÄB", "i", "xäby", true),
            ("a b # c", "x", "ab", true),
            ("^\\d+$", "", "42", true),
            ("^\\d+$", "", "٤٢", false),
            ("^[\\w-]+$", "", "a-b_1", true),
            ("[[&&]", "", "[", true),
            ("[]x]", "", "]", true),
            ("^[[:alpha:]]$", "", "q", true),
            ("a\\/b", "", "a/b", true),
            ("\\bcat\\b", "", "a cat!", true),
        ] {
            let pattern = Pattern::new(source, options).unwrap();
            assert_eq!(pattern.is_match(text), expected, "/{source}/{options} on {text:?}");
        }
    }

    #[test]
    fn what_needs_backtracking_and_what_is_no_pattern_is_refused() {
        for (source, options) in
            [("(?=a)", ""), ("(a)\\1", ""), ("(", ""), ("a", "g"), ("(a{1000}){1000}", "")]
        {
            assert!(Pattern::new(source, options).is_err(), "/{source}/{options}");
        }
        assert_eq!(Pattern::new("a", "mi").unwrap(), Pattern::new("a", "im").unwrap());
    }
}
