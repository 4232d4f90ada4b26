//! Random expressions about the documents and the users of the pool.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::pool::{USERS, user_id};

/// `%%request` and `%%environment`: the engine does not know them yet.
pub(crate) const REQUEST_AND_ENVIRONMENT: bool = true;
/// Document against document: `{"owner": "%%root.editor"}`.
pub(crate) const TWO_PATHS: bool = true;

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the rule of a document.
    Document,
    /// In the rule of a field.
    Field,
    /// In the rule of a field of the elements of an array.
    Element,
    /// In the `apply_when` of a filter.
    NoDocument,
    /// In the `query` of a filter.
    Query,
}

/// Either spelling of an operator.
fn spelled(name: &str, dice: &mut Dice) -> String {
    format!("{}{name}", dice.pick(&["%", "$"]))
}

fn one(key: impl Into<String>, value: Value) -> Value {
    Value::Object([(key.into(), value)].into_iter().collect())
}

/// One of these, written as JSON: only what is picked is read.
fn written(texts: &[&str], dice: &mut Dice) -> Value {
    serde_json::from_str(dice.pick(texts)).expect("JSON")
}

/// An expression, nested at most so deep.
pub(crate) fn expression(depth: usize, place: Place, dice: &mut Dice) -> Value {
    // Of alternatives, one has to hold for all elements: with one condition there is none to choose.
    if depth == 0 || place == Place::Element || dice.chance(55) {
        return atom(place, dice);
    }
    let count = 1 + dice.below(2);
    let parts =
        |dice: &mut Dice| -> Value { (0..=count).map(|_| expression(depth - 1, place, dice)).collect() };
    match dice.weighted(&[25, 30, 20, 10, 15]) {
        0 => one(spelled("and", dice), parts(dice)),
        1 => one(spelled("or", dice), parts(dice)),
        2 if place != Place::Query => one(spelled("not", dice), {
            let part = expression(depth - 1, place, dice);
            if dice.chance(50) { json!([part]) } else { part }
        }),
        3 => one(spelled("nor", dice), parts(dice)),
        // Several keys of one object.
        _ => {
            let mut both = atom(place, dice);
            if let (Value::Object(both), Value::Object(more)) = (&mut both, atom(place, dice)) {
                both.extend(more);
            }
            both
        }
    }
}

fn atom(place: Place, dice: &mut Dice) -> Value {
    let document = if place == Place::NoDocument { 0 } else { 55 };
    let previous = if matches!(place, Place::Document | Place::Field | Place::Element) { 8 } else { 0 };
    let field = if matches!(place, Place::Field | Place::Element) { 30 } else { 0 };
    let user = if place == Place::Query { 0 } else { 22 };
    let constant = if place == Place::Query { 0 } else { 8 };
    match dice.weighted(&[document, user, previous, field, constant]) {
        0 => {
            let path = dice.pick(PATHS);
            let prefix = if place != Place::Query && dice.chance(20) { "%%root." } else { "" };
            one(format!("{prefix}{path}"), comparison(path, place, dice))
        }
        1 => about_user(dice),
        2 => about_previous(dice),
        3 => about_field(place, dice),
        // Now and then what is not understood.
        _ if dice.chance(6) => written(
            &[
                r#"{ "level": { "%near": 1 } }"#,
                r#"{ "%%nothing.x": 1 }"#,
                r#"{ "%maybe": [] }"#,
                r#"{ "level": { "%in": 3 } }"#,
            ],
            dice,
        ),
        _ => written(&[r#"{}"#, r#"true"#, r#"{ "%%true": true }"#, r#"{ "%%false": "%%true" }"#], dice),
    }
}

/// Paths, those of more interest more often.
pub(crate) const PATHS: &[&str] = &[
    "owner", "owner", "team", "team", "level", "level", "level", "tags", "tags", "open", "open", "e.x",
    "e.x", "e.y", "e.z.w", "e", "es.x", "es.y", "gone", "_id", "editor",
];

fn comparison(path: &str, place: Place, dice: &mut Dice) -> Value {
    match dice.weighted(&[45, 10, 20, 15, 10]) {
        0 => operand(path, place, dice),
        1 => {
            let name = dice.pick(&["eq", "ne", "ne"]);
            one(spelled(name, dice), operand(path, place, dice))
        }
        2 if path != "tags" => {
            let mut range = one(spelled(dice.pick(&["gt", "gte"]), dice), scalar(path, dice));
            if dice.chance(40) {
                let name = spelled(dice.pick(&["lt", "lte"]), dice);
                range[name] = scalar(path, dice);
            }
            range
        }
        3 => {
            let name = dice.pick(&["in", "nin", "all"]);
            let list = match (path, dice.below(4)) {
                ("level" | "e.x" | "es.x", 0) => json!("%%values.levels"),
                ("team" | "e.y" | "es.y", 0) => json!("%%user.custom_data.teams"),
                ("tags", 0) => json!("%%user.custom_data.tags"),
                (_, 1) if dice.chance(30) => json!("%%user.custom_data.absent"),
                _ => (0..dice.below(4)).map(|_| scalar(path, dice)).collect(),
            };
            one(spelled(name, dice), list)
        }
        _ => one(
            spelled("exists", dice),
            written(&[r#"true"#, r#"false"#, r#""%%true""#, r#""%%false""#], dice),
        ),
    }
}

/// What a path may be compared with: a value of its kind, a list, or nothing.
fn operand(path: &str, place: Place, dice: &mut Dice) -> Value {
    match (path, dice.below(9)) {
        (_, 0) => written(
            &[
                r#"null"#,
                r#""%%user.custom_data.absent""#,
                r#""%%user.custom_data.nothing""#,
                r#""%%values.nothing""#,
            ],
            dice,
        ),
        ("team" | "e.y" | "es.y", 1) => json!("%%user.custom_data.teams"),
        ("level" | "e.x" | "es.x", 1) => json!("%%values.levels"),
        ("team" | "tags", 2) => written(&[r#"["red", "x"]"#, r#"["x", "y"]"#, r#"[]"#], dice),
        ("tags", 3) => json!("%%user.custom_data.tags"),
        ("tags", 4) => json!("%%values.tags"),
        ("e", _) => written(
            &[
                r#"{ "x": 1, "y": "red" }"#,
                r#"{ "x": "%%user.custom_data.level", "y": "%%values.team" }"#,
                r#"{}"#,
                r#"{ "x": "%%user.custom_data.absent" }"#,
            ],
            dice,
        ),
        ("owner", 1 | 2) if TWO_PATHS && place != Place::Query => json!("%%root.editor"),
        ("level", 2) if TWO_PATHS && place != Place::Query => json!("%%root.e.x"),
        _ => scalar(path, dice),
    }
}

/// A value of the path's kind.
fn scalar(path: &str, dice: &mut Dice) -> Value {
    match path {
        "owner" | "editor" => {
            let hex = user_id(u8::try_from(dice.below(USERS.into())).unwrap()).to_hex();
            match dice.below(8) {
                0 | 1 => json!("%%user.id"),
                2 | 3 => one(spelled("stringToOid", dice), json!("%%user.id")),
                4 => one(spelled("stringToOid", dice), json!(hex)),
                5 => written(
                    &[
                        r#"{ "%stringToOid": "no id" }"#,
                        r#"{ "%stringToOid": "%%user.custom_data.absent" }"#,
                        r#"{ "%oidToString": "%%user.id" }"#,
                        r#""%%user.id%%""#,
                        r#"{ "%stringToUuid": "%%user.id" }"#,
                    ],
                    dice,
                ),
                6 => json!({ "$oid": hex }),
                _ => json!(hex),
            }
        }
        "team" | "e.y" | "es.y" => written(
            &[r#""red""#, r#""blue""#, r#""green""#, r#""%%user.custom_data.team""#, r#""%%values.team""#],
            dice,
        ),
        "tags" => written(&[r#""x""#, r#""y""#, r#""z""#, r#""%%user.custom_data.absent""#], dice),
        "open" => written(
            &[r#"true"#, r#"false"#, r#""%%true""#, r#""%%user.custom_data.flag""#, r#""%%values.open""#],
            dice,
        ),
        "e" => json!({ "x": 1, "y": "red" }),
        "_id" => json!(dice.below(20)),
        _ => written(
            &[
                r#"0"#,
                r#"1"#,
                r#"2"#,
                r#"1.0"#,
                r#"1.5"#,
                r#""%%user.custom_data.level""#,
                r#""%%user.custom_data.deep.level""#,
                r#""%%values.limit""#,
            ],
            dice,
        ),
    }
}

fn about_user(dice: &mut Dice) -> Value {
    if REQUEST_AND_ENVIRONMENT && dice.chance(25) {
        return written(
            &[
                r#"{ "%%request.httpMethod": "POST" }"#,
                r#"{ "%%request.remoteIPAddress": { "%exists": true } }"#,
                r#"{ "%%environment.tag": "production" }"#,
                r#"{ "%%environment.values.limit": { "%gt": 1 } }"#,
                r#"{ "%%environment.values.absent": null }"#,
            ],
            dice,
        );
    }
    written(
        &[
            r#"{ "%%user.custom_data.level": { "%gte": 2 } }"#,
            r#"{ "%%user.custom_data.level": 1 }"#,
            r#"{ "%%user.custom_data.teams": "red" }"#,
            r#"{ "%%user.custom_data.teams": { "$in": ["green", "%%values.team"] } }"#,
            r#"{ "%%user.custom_data.teams": { "%all": ["red", "blue"] } }"#,
            r#"{ "%%user.custom_data.team": "%%values.team" }"#,
            r#"{ "%%user.custom_data.team": { "%ne": "red" } }"#,
            r#"{ "%%user.custom_data.absent": null }"#,
            r#"{ "%%user.custom_data.nothing": { "%exists": true } }"#,
            r#"{ "%%user.custom_data.absent": { "%exists": false } }"#,
            r#"{ "%%user.custom_data.absent": "%%values.nothing" }"#,
            r#"{ "%%user.type": "server" }"#,
            r#"{ "%%user.data.name": "user0" }"#,
            r#"{ "%%user.identities.provider_type": "anon-user" }"#,
            r#"{ "%%user.id": "%%values.owner" }"#,
            r#"{ "%%user.id%%": { "%exists": true } }"#,
            r#"{ "%%values.levels": "%%user.custom_data.level" }"#,
            r#"{ "%%values.open": true }"#,
            r#"{ "%%true": "%%user.custom_data.flag" }"#,
            r#"{ "%%true": { "%ne": "%%user.custom_data.flag" } }"#,
            r#""%%true""#,
            r#"{ "%%user.custom_data.level": { "%in": "%%values.levels" } }"#,
        ],
        dice,
    )
}

fn about_previous(dice: &mut Dice) -> Value {
    written(
        &[
            r#"{ "%%prevRoot": { "%exists": false } }"#,
            r#"{ "%%prevRoot": { "%exists": true } }"#,
            r#"{ "%%prevRoot.owner": "%%user.id" }"#,
            r#"{ "%%prevRoot.team": { "%ne": "red" } }"#,
            r#"{ "%%prevRoot.open": true }"#,
            r#"{ "%%prevRoot.level": { "%lte": 2 } }"#,
            r#"{ "level": { "%gte": "%%prevRoot.level" } }"#,
            r#"{ "owner": "%%prevRoot.owner" }"#,
            r#"{ "%%root.team": { "$ne": "%%prevRoot.team" } }"#,
        ],
        dice,
    )
}

fn about_field(place: Place, dice: &mut Dice) -> Value {
    const ONE_VALUE: &[&str] = &[
        r#"{ "%%this": { "%exists": true } }"#,
        r#"{ "%%this": { "%gte": 1 } }"#,
        r#"{ "%%this": "red" }"#,
        r#"{ "%%this": { "%ne": 1 } }"#,
        r#"{ "%%this": "%%user.id" }"#,
        r#"{ "%%prev": { "%exists": false } }"#,
        r#"{ "%%prev": { "$in": ["red", 1, true, "x"] } }"#,
        r#"{ "%%this.x": { "%gte": 1 } }"#,
    ];
    // Of an array of many elements, or of none, the engine is stricter about these than anything says.
    const OR_NONE: &[&str] = &[r#"{ "%%this": "%%prev" }"#, r#"{ "%%prev": null }"#];
    let of_none = place == Place::Field && dice.chance(20);
    written(if of_none { OR_NONE } else { ONE_VALUE }, dice)
}
