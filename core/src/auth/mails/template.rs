//! A text with placeholders.

use std::fmt::Write as _;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placeholder {
    Link,
    Token,
    TokenId,
    Minutes,
    Email,
    App,
}

impl Placeholder {
    pub(super) const ALL: [Self; 6] =
        [Self::Link, Self::Token, Self::TokenId, Self::Minutes, Self::Email, Self::App];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Token => "token",
            Self::TokenId => "tokenId",
            Self::Minutes => "minutes",
            Self::Email => "email",
            Self::App => "app",
        }
    }

    /// Whether it is there only in a mail that carries a token.
    pub(super) fn needs_token(self) -> bool {
        match self {
            Self::Link | Self::Token | Self::TokenId | Self::Minutes => true,
            Self::Email | Self::App => false,
        }
    }
}

/// The values of one mail.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::auth) struct Values<'a> {
    pub(in crate::auth) link: &'a str,
    pub(in crate::auth) token: &'a str,
    pub(in crate::auth) token_id: &'a str,
    pub(in crate::auth) minutes: i64,
    pub(in crate::auth) email: &'a str,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// One line: what could begin another header becomes a space.
    Line,
    Plain,
    Html,
}

/// A placeholder that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownPlaceholder {
    pub(super) name: String,
    /// Counted from one.
    pub(super) line: usize,
}

/// A text with placeholders, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

impl Template {
    /// Reads a text; every unknown placeholder is told.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<UnknownPlaceholder>> {
        let (mut pieces, mut unknown, mut plain) = (Vec::new(), Vec::new(), String::new());
        let mut rest = text;
        let mut line = 1;
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            line += before.matches('\n').count();
            let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
            let Some((name, behind)) = name.and_then(|name| Some((name, after.get(name.len() + 1..)?)))
            else {
                plain.push('{');
                rest = after;
                continue;
            };
            match Placeholder::ALL.into_iter().find(|known| known.word() == name) {
                Some(value) => {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Value(value));
                }
                None => unknown.push(UnknownPlaceholder { name: name.to_owned(), line }),
            }
            rest = behind;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        if unknown.is_empty() { Ok(Self(pieces)) } else { Err(unknown) }
    }

    /// The placeholders in it.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(value) => Some(*value),
            Piece::Text(_) => None,
        })
    }

    /// The text with the values in their places.
    pub(super) fn render(&self, app: &str, values: &Values<'_>, writing: Writing) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            let placeholder = match piece {
                Piece::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Piece::Value(placeholder) => placeholder,
            };
            match placeholder {
                Placeholder::Link => write_value(&mut text, values.link, writing),
                Placeholder::Token => write_value(&mut text, values.token, writing),
                Placeholder::TokenId => write_value(&mut text, values.token_id, writing),
                // Writing to a string cannot fail.
                Placeholder::Minutes => drop(write!(text, "{}", values.minutes)),
                Placeholder::Email => write_value(&mut text, values.email, writing),
                Placeholder::App => write_value(&mut text, app, writing),
            }
        }
        text
    }
}

/// Only what looks like a name is a placeholder: style sheets are full of braces.
fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn write_value(text: &mut String, value: &str, writing: Writing) {
    for letter in value.chars() {
        match (writing, letter) {
            (Writing::Html, '&') => text.push_str("&amp;"),
            (Writing::Html, '<') => text.push_str("&lt;"),
            (Writing::Html, '>') => text.push_str("&gt;"),
            (Writing::Html, '"') => text.push_str("&quot;"),
            (Writing::Html, '\'') => text.push_str("&#39;"),
            (Writing::Line, control) if control.is_control() => text.push(' '),
            (Writing::Line | Writing::Plain | Writing::Html, letter) => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values {
        link: "https://x.test/?a=1&b='2'",
        token: "t",
        token_id: "i",
        minutes: 30,
        email: "\"<b>\"@x.test\r\nBcc: eve",
    };

    fn render(text: &str, writing: Writing) -> String {
        Template::parse(text).unwrap().render("Shop & Co", &VALUES, writing)
    }

    #[test]
    fn names_in_braces_are_values_and_everything_else_stays() {
        for (text, expected) in [
            ("", ""),
            ("{token}/{tokenId}/{minutes}", "t/i/30"),
            ("a { color: red } {} {a b} {1} {", "a { color: red } {} {a b} {1} {"),
            ("a{b{token}c}}", "a{btc}}"),
            ("{{token}}", "{t}"),
            ("ü{token}ü", "ütü"),
        ] {
            assert_eq!(render(text, Writing::Plain), expected, "{text}");
        }
    }

    #[test]
    fn values_are_escaped_in_html_and_stay_on_the_line_of_a_subject() {
        assert_eq!(
            render("<a href='{link}'>{app}</a>", Writing::Html),
            "<a href='https://x.test/?a=1&amp;b=&#39;2&#39;'>Shop &amp; Co</a>"
        );
        assert!(render("{email}", Writing::Html).starts_with("&quot;&lt;b&gt;&quot;@x.test"));
        assert_eq!(render("{app}: {email}", Writing::Line), "Shop & Co: \"<b>\"@x.test  Bcc: eve");
        assert_eq!(render("{link}", Writing::Plain), VALUES.link);
    }

    #[test]
    fn every_unknown_name_is_told_with_its_line() {
        let unknown = Template::parse("Hello {name},\n\n{link}\n{ {url} {Link}").unwrap_err();
        let told: Vec<_> = unknown.iter().map(|unknown| (unknown.name.as_str(), unknown.line)).collect();
        assert_eq!(told, [("name", 1), ("url", 4), ("Link", 4)]);
    }
}
