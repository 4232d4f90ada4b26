//! English singulars and plurals, as ActiveSupport forms them.
//!
//! 1. A word that is uncountable (as a whole word) stays as it is.
//! 2. The rules stand in the order in which ActiveSupport declares them; the **last** that matches wins.
//! 3. Matching ignores case; the part that is replaced comes out in lower case, the rest is kept.
//!
//! ActiveSupport's rules are regular expressions of one shape, so they are data here: what must stand
//! before, the ending that goes, the ending that comes.

/// What must stand before the ending.
enum Stem {
    /// Anything.
    Any,
    /// One of these, and nothing before it.
    Is(&'static [&'static str]),
    /// Something that ends in one of these.
    Ends(&'static [&'static str]),
    /// Something that ends in a character other than these.
    EndsNot(&'static str),
}

use Stem::{Any, Ends, EndsNot, Is};

struct Rule(Stem, &'static str, &'static str);

const UNCOUNTABLE: &[&str] =
    &["equipment", "information", "rice", "money", "species", "series", "fish", "sheep", "jeans", "police"];

const PLURAL: &[Rule] = &[
    Rule(Any, "", "s"),
    Rule(Any, "s", "s"),
    Rule(Is(&["ax", "test"]), "is", "es"),
    Rule(Ends(&["octop", "vir"]), "us", "i"),
    Rule(Ends(&["octop", "vir"]), "i", "i"),
    Rule(Ends(&["alias", "status"]), "", "es"),
    Rule(Ends(&["bu", "mis", "gas"]), "s", "ses"),
    Rule(Ends(&["buffal", "tomat"]), "o", "oes"),
    Rule(Ends(&["t", "i"]), "um", "a"),
    Rule(Ends(&["t", "i"]), "a", "a"),
    Rule(Any, "sis", "ses"),
    Rule(EndsNot("f"), "fe", "ves"),
    Rule(Ends(&["l", "r"]), "f", "ves"),
    Rule(Ends(&["hive"]), "", "s"),
    Rule(EndsNot("aeiouy"), "y", "ies"),
    Rule(Ends(&["qu"]), "y", "ies"),
    Rule(Ends(&["x", "ch", "ss", "sh"]), "", "es"),
    Rule(Ends(&["matr", "vert", "ind"]), "ix", "ices"),
    Rule(Ends(&["matr", "vert", "ind"]), "ex", "ices"),
    Rule(Is(&["m", "l"]), "ouse", "ice"),
    Rule(Is(&["m", "l"]), "ice", "ice"),
    Rule(Is(&["ox"]), "", "en"),
    Rule(Is(&["oxen"]), "", ""),
    Rule(Ends(&["quiz"]), "", "zes"),
    Rule(Ends(&["p"]), "erson", "eople"),
    Rule(Ends(&["p"]), "eople", "eople"),
    Rule(Ends(&["m"]), "an", "en"),
    Rule(Ends(&["m"]), "en", "en"),
    Rule(Ends(&["c"]), "hild", "hildren"),
    Rule(Ends(&["c"]), "hildren", "hildren"),
    Rule(Ends(&["s"]), "ex", "exes"),
    Rule(Ends(&["s"]), "exes", "exes"),
    Rule(Ends(&["m"]), "ove", "oves"),
    Rule(Ends(&["m"]), "oves", "oves"),
    Rule(Ends(&["z"]), "ombie", "ombies"),
    Rule(Ends(&["z"]), "ombies", "ombies"),
];

const ANALYSIS: Stem = Ends(&["analy", "ba", "diagno", "parenthe", "progno", "synop", "the"]);

const SINGULAR: &[Rule] = &[
    Rule(Any, "s", ""),
    Rule(Any, "ss", "ss"),
    Rule(Ends(&["n"]), "ews", "ews"),
    Rule(Ends(&["t", "i"]), "a", "um"),
    Rule(ANALYSIS, "sis", "sis"),
    Rule(ANALYSIS, "ses", "sis"),
    Rule(EndsNot("f"), "ves", "fe"),
    Rule(Ends(&["hive"]), "s", ""),
    Rule(Ends(&["tive"]), "s", ""),
    Rule(Ends(&["l", "r"]), "ves", "f"),
    Rule(EndsNot("aeiouy"), "ies", "y"),
    Rule(Ends(&["qu"]), "ies", "y"),
    Rule(Ends(&["s"]), "eries", "eries"),
    Rule(Ends(&["m"]), "ovies", "ovie"),
    Rule(Ends(&["x", "ch", "ss", "sh"]), "es", ""),
    Rule(Is(&["m", "l"]), "ice", "ouse"),
    Rule(Ends(&["bus"]), "", ""),
    Rule(Ends(&["bus"]), "es", ""),
    Rule(Ends(&["o"]), "es", ""),
    Rule(Ends(&["shoe"]), "s", ""),
    Rule(Ends(&["cris", "test"]), "is", "is"),
    Rule(Ends(&["cris", "test"]), "es", "is"),
    Rule(Is(&["a"]), "xis", "xis"),
    Rule(Is(&["a"]), "xes", "xis"),
    Rule(Ends(&["octop", "vir"]), "us", "us"),
    Rule(Ends(&["octop", "vir"]), "i", "us"),
    Rule(Ends(&["alias", "status"]), "", ""),
    Rule(Ends(&["alias", "status"]), "es", ""),
    Rule(Is(&["ox"]), "en", ""),
    Rule(Ends(&["vert", "ind"]), "ices", "ex"),
    Rule(Ends(&["matr"]), "ices", "ix"),
    Rule(Ends(&["quiz"]), "zes", ""),
    Rule(Ends(&["database"]), "s", ""),
    Rule(Ends(&["p"]), "erson", "erson"),
    Rule(Ends(&["p"]), "eople", "erson"),
    Rule(Ends(&["m"]), "an", "an"),
    Rule(Ends(&["m"]), "en", "an"),
    Rule(Ends(&["c"]), "hild", "hild"),
    Rule(Ends(&["c"]), "hildren", "hild"),
    Rule(Ends(&["s"]), "ex", "ex"),
    Rule(Ends(&["s"]), "exes", "ex"),
    Rule(Ends(&["m"]), "ove", "ove"),
    Rule(Ends(&["m"]), "oves", "ove"),
    Rule(Ends(&["z"]), "ombie", "ombie"),
    Rule(Ends(&["z"]), "ombies", "ombie"),
];

/// The plural of a word, or the word itself.
pub(crate) fn pluralize(word: &str) -> String {
    apply(word, PLURAL)
}

/// The singular of a word, or the word itself.
pub(crate) fn singularize(word: &str) -> String {
    apply(word, SINGULAR)
}

fn apply(word: &str, rules: &[Rule]) -> String {
    let lower = word.to_ascii_lowercase();
    if word.is_empty() || is_uncountable(&lower) {
        return word.to_owned();
    }
    rules.iter().rev().find_map(|rule| rule.apply(word, &lower)).unwrap_or_else(|| word.to_owned())
}

/// ActiveSupport asks for a word boundary, and `_` is part of a word: `time_series` has a plural.
fn is_uncountable(lower: &str) -> bool {
    UNCOUNTABLE.iter().any(|word| {
        lower
            .strip_suffix(word)
            .is_some_and(|before| !before.ends_with(|c: char| c == '_' || c.is_alphanumeric()))
    })
}

impl Rule {
    fn apply(&self, word: &str, lower: &str) -> Option<String> {
        let Self(before, from, to) = self;
        let stem = lower.strip_suffix(from)?;
        let holds = match before {
            Any => true,
            Is(words) => words.contains(&stem),
            Ends(endings) => endings.iter().any(|ending| stem.ends_with(ending)),
            EndsNot(letters) => stem.chars().next_back().is_some_and(|last| !letters.contains(last)),
        };
        // ASCII lower-casing keeps byte positions, so the cut is at a character boundary of `word`.
        holds.then(|| word.get(..stem.len()).map(|kept| format!("{kept}{to}"))).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_the_singulars_and_plurals_of_active_support() {
        let both = [
            ("mouse", "mice"),
            ("person", "people"),
            ("entity", "entities"),
            ("status", "statuses"),
            ("datum", "data"),
            ("UserAdminDatum", "UserAdminData"),
            ("ReportTranslation", "ReportTranslations"),
            ("child", "children"),
            ("grandchild", "grandchildren"),
            ("Human", "Humen"),
            ("sex", "sexes"),
            ("move", "moves"),
            ("zombie", "zombies"),
            ("vertex", "vertices"),
            ("testis", "testes"),
            ("alias", "aliases"),
            ("virus", "viri"),
            ("buffalo", "buffaloes"),
            ("thesis", "theses"),
            ("half", "halves"),
            ("query", "queries"),
            ("soliloquy", "soliloquies"),
            ("dish", "dishes"),
            ("louse", "lice"),
            ("Woman", "Women"),
            ("movie", "movies"),
            ("wolf", "wolves"),
            ("wife", "wives"),
            ("hive", "hives"),
            ("archive", "archives"),
            ("analysis", "analyses"),
            ("crisis", "crises"),
            ("index", "indices"),
            ("matrix", "matrices"),
            ("quiz", "quizzes"),
            ("box", "boxes"),
            ("bus", "buses"),
            ("tomato", "tomatoes"),
            ("shoe", "shoes"),
            ("day", "days"),
            ("address", "addresses"),
            ("octopus", "octopi"),
            ("axis", "axes"),
            ("database", "databases"),
            ("ox", "oxen"),
            ("time_series", "time_series"),
            ("news", "news"),
            ("series", "series"),
            ("sheep", "sheep"),
        ];
        for (singular, plural) in both {
            assert_eq!(pluralize(singular), plural, "plural of {singular}");
            assert_eq!(singularize(plural), singular, "singular of {plural}");
            assert_eq!(singularize(singular), singular, "singular of {singular}");
        }
        for word in UNCOUNTABLE {
            assert_eq!((pluralize(word).as_str(), singularize(word).as_str()), (*word, *word));
        }
        // A word of its own has no plural, an end of another word has one.
        for (singular, plural) in
            [("goldfish", "goldfishes"), ("price", "prices"), ("mouse_trap", "mouse_traps")]
        {
            assert_eq!((pluralize(singular).as_str(), singularize(plural).as_str()), (plural, singular));
        }
        assert_eq!(singularize("taxa"), "taxa");
        assert_eq!(singularize("quickadd"), "quickadd");
        assert_eq!(singularize("bonus"), "bonu");
        assert_eq!(pluralize(""), "");
        assert_eq!(pluralize("né"), "nés");
    }
}
