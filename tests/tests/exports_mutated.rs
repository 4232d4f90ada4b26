//! Exports with random damage: the importer, the check and the schema never panic, whatever a file says.
//!
//! `BACKSTITCH_EXPORT_CASES` says how many are tried (150 when it is not set); a million take some hours:
//! `BACKSTITCH_EXPORT_CASES=1000000 cargo test --release -p backstitch-tests --test exports_mutated`. A case that panics
//! names its seed, and `BACKSTITCH_EXPORT_SEED` begins there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::{env, fs};

use backstitch::app::AppConfig;
use backstitch::engine::{Inventory, check_with, sdl};
use backstitch::report::Report;
use backstitch_tests::served::folder;
use serde_json::{Value, json};

/// Small numbers that depend on the seed alone (an xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }

    fn odd_value(&mut self) -> Value {
        let odd = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1e300),
            json!(""),
            json!("%%user.id"),
            json!("%(%%environment.values.x)"),
            json!("%("),
            json!([]),
            json!({}),
            json!({"%or": []}),
            json!({"$oid": "x"}),
            json!([[[]]]),
            json!({"%function": 1}),
            json!("../../etc"),
            json!("ÿ\u{0}"),
            json!({"bsonType": ["int", 5]}),
            json!({"$ref": "#"}),
            json!({"%%true": {"%%this": {"%%prev": 1}}}),
        ];
        odd[self.roll(odd.len())].clone()
    }

    /// Damages one place of a JSON value.
    fn damage(&mut self, json: &mut Value) {
        let inside = self.roll(5) > 0;
        match json {
            Value::Object(members) if inside && !members.is_empty() => {
                let key = members.keys().nth(self.roll(members.len())).cloned().unwrap();
                match self.roll(6) {
                    0 => drop(members.remove(&key)),
                    1 => {
                        let value = members.remove(&key).unwrap_or_default();
                        let names = ["", "type", "%and", "$where", "__proto__", "name", "a.b", "title"];
                        members.insert(names[self.roll(names.len())].to_owned(), value);
                    }
                    _ => self.damage(members.get_mut(&key).unwrap()),
                }
            }
            Value::Array(items) if inside && !items.is_empty() => {
                let place = self.roll(items.len());
                match self.roll(4) {
                    0 => drop(items.remove(place)),
                    1 => items.push(items[place].clone()),
                    _ => self.damage(&mut items[place]),
                }
            }
            place => *place = self.odd_value(),
        }
    }
}

/// The text files of a directory, data aside, by their paths in it.
fn files(directory: &Path, below: &str, all: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            if !["data", "rule_tests"].contains(&name.as_str()) {
                files(&entry.path(), &format!("{name}/"), all);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            all.insert(name, text);
        }
    }
}

fn damaged(export: &BTreeMap<String, String>, dice: &mut Dice) -> BTreeMap<String, String> {
    let mut export = export.clone();
    for _ in 0..=dice.roll(4) {
        let Some(name) = export.keys().nth(dice.roll(export.len())).cloned() else { break };
        let text = export.remove(&name).unwrap();
        let parsed: Result<Value, _> = serde_json::from_str(&text);
        match (dice.roll(12), parsed) {
            (0, _) => {}
            (1, _) => {
                let cut: String = text.chars().take(dice.roll(text.len())).collect();
                export.insert(name, cut);
            }
            (2, _) => {
                let names: Vec<String> = export.keys().cloned().collect();
                let other = names[dice.roll(names.len())].clone();
                export.insert(other, text.clone());
                export.insert(name, text);
            }
            (_, Ok(mut json)) => {
                dice.damage(&mut json);
                export.insert(name, json.to_string());
            }
            (_, Err(_)) => drop(export.insert(name, text.replace('(', "{"))),
        }
    }
    export
}

/// All that is done with a directory before it is served.
fn look(directory: &Path) {
    if let Ok((config, mut report)) = AppConfig::import(directory) {
        check_with(&config, None, &mut report);
        Inventory::of(&config, &|_| false);
        sdl(&config, &mut Report::default());
        let _ = report.to_string();
    }
}

#[test]
fn no_damage_makes_the_importer_panic() {
    let number = |name: &str, otherwise: u64| {
        env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
    };
    let (cases, first) = (number("BACKSTITCH_EXPORT_CASES", 150), number("BACKSTITCH_EXPORT_SEED", 1));
    let exports: Vec<_> =
        ["apps/everything", "apps/javascript", "apps/sloppy", "../examples/movies", "../examples/notes-2018"]
            .into_iter()
            .map(|name| {
                let mut all = BTreeMap::new();
                files(&folder(name), "", &mut all);
                all
            })
            .collect();
    for seed in first..first + cases {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let export = damaged(&exports[dice.roll(exports.len())], &mut dice);
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in &export {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let looked = catch_unwind(AssertUnwindSafe(|| look(directory.path())));
        assert!(
            looked.is_ok(),
            "seed {seed}: BACKSTITCH_EXPORT_SEED={seed} BACKSTITCH_EXPORT_CASES=1 repeats it"
        );
    }
}
