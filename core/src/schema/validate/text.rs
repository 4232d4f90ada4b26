//! `pattern` and `format`.

use chrono::{DateTime, NaiveDate};
use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take.
const PATTERN_SIZE: usize = 1 << 20;

/// A regular expression, which is looked for anywhere in a text (ECMA 262 as far as the two languages agree: without
/// look-around and back-references, so that time is linear).
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    /// `None` when it cannot be obeyed: then it matches nothing.
    compiled: Option<Regex>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Why it cannot be obeyed, beside a pattern that matches nothing: a check that does not happen would be worse
    /// than one that refuses.
    pub(super) fn new(text: &str) -> (Self, Option<String>) {
        match RegexBuilder::new(text).size_limit(PATTERN_SIZE).build() {
            Ok(compiled) => (Self { text: text.to_owned(), compiled: Some(compiled) }, None),
            Err(error) => {
                let reason = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
                (Self { text: text.to_owned(), compiled: None }, Some(reason))
            }
        }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.compiled.as_ref().is_some_and(|compiled| compiled.is_match(text))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The formats that are obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Date,
    Time,
    Email,
    Hostname,
    Ipv4,
    Ipv6,
    Uri,
    Uuid,
}

impl Format {
    /// By its name in a schema.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "date" => Self::Date,
            "time" => Self::Time,
            "email" => Self::Email,
            "hostname" => Self::Hostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" => Self::Uri,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    pub(super) fn matches(self, text: &str) -> bool {
        match self {
            // RFC 3339.
            Self::DateTime => DateTime::parse_from_rfc3339(text).is_ok(),
            Self::Date => text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
            Self::Time => DateTime::parse_from_rfc3339(&format!("2000-01-01T{text}")).is_ok(),
            Self::Email => is_email(text),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Uri => is_uri(text),
            Self::Uuid => text.len() == 36 && bson::Uuid::parse_str(text).is_ok(),
        }
    }
}

/// Something, an `@`, and a host: more of RFC 5321 only mail servers can tell.
fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, host)| {
        let is_local = !local.is_empty() && local.len() <= 64 && !local.contains(char::is_whitespace);
        is_local && (is_hostname(host) || host.starts_with('[') && host.ends_with(']'))
    })
}

/// RFC 1123: labels of letters, digits and hyphens.
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// RFC 3986: a scheme, and nothing that has to be escaped.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        let mut letters = scheme.chars();
        let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
        is_scheme && rest.chars().all(|letter| letter.is_ascii_graphic() && !"\"<>\\^`{|}".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_accepts_and_refuses() {
        for (name, good, bad) in [
            (
                "date-time",
                &["2024-02-29T12:00:00Z", "2024-01-01T00:00:00.5+02:00"][..],
                &["2024-02-30T12:00:00Z", "2024-01-01"][..],
            ),
            ("date", &["2024-02-29"], &["2023-02-29", "2024-2-9", "24-02-09"]),
            ("time", &["12:00:00Z", "23:59:59.25-05:00"], &["25:00:00Z", "12:00"]),
            (
                "email",
                &["a@example.com", "a.b+c@localhost", "a@[127.0.0.1]"],
                &["a", "@x.com", "a@", "a b@x.com", "a@-x.com"],
            ),
            ("hostname", &["example.com", "a", "xn--bcher-kva.example"], &["", "-a.com", "a_b.com", "a..b"]),
            ("ipv4", &["127.0.0.1"], &["127.0.0", "256.0.0.1", "::1"]),
            ("ipv6", &["::1", "2001:db8::1"], &["127.0.0.1", "1::2::3"]),
            (
                "uri",
                &["https://example.com/a?b#c", "urn:isbn:1", "mailto:a@b.c"],
                &["example.com", "1a:b", "a b:c", "http://a b"],
            ),
            ("uuid", &["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], &["6ba7b8109dad11d180b400c04fd430c8", "x"]),
        ] {
            let format = Format::named(name).unwrap();
            assert!(good.iter().all(|text| format.matches(text)), "{name}");
            for text in bad {
                assert!(!format.matches(text), "{name}: {text}");
            }
        }
        assert_eq!(Format::named("color"), None);
    }

    #[test]
    fn a_pattern_is_looked_for_anywhere_and_one_that_cannot_be_obeyed_matches_nothing() {
        let (pattern, problem) = Pattern::new("b+");
        assert!(problem.is_none() && pattern.matches("abc") && !pattern.matches("ac"));
        for bad in ["(", "(?=a)", r"(a)\1", "a{1000}{1000}"] {
            let (pattern, problem) = Pattern::new(bad);
            assert!(problem.is_some() && !pattern.matches("a"), "{bad}");
        }
    }
}
