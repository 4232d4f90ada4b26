//! Rows written by hand: what Ada may do with `{"_id": 1, "f": "x", "g": "y", "owner": "ada"}`.
//!
//! `read` lists the fields that she sees (`none`: the document is left out); `update` those that she may set to `"z"`,
//! one at a time; `insert` and `delete` are of the whole document. `apply_when` is `{}` unless it is given. The steps
//! are those of §6.3 (read) and §6.4 (write); C1 to C4 are the conflicts that decision 15 settles.

/// step, role or roles, read, update, insert, delete.
#[rustfmt::skip]
pub(crate) const ROWS: &[[&str; 6]] = &[
    // The whole document.
    ["C1: reading alone", r#"{"read": true}"#, "all", "none", "no", "no"],
    ["C1, B3", r#"{"read": true, "write": true}"#, "all", "all", "yes", "yes"],
    ["C1, B2", r#"{"read": true, "write": false}"#, "all", "none", "no", "no"],
    ["C2: writing implies reading", r#"{"read": false, "write": true}"#, "all", "all", "yes", "yes"],
    ["C2", r#"{"read": false, "write": false}"#, "none", "none", "no", "no"],
    ["C2", r#"{"read": false}"#, "none", "none", "no", "no"],
    ["C3: writing implies reading", r#"{"write": true}"#, "all", "all", "yes", "yes"],
    ["C3, D: no field is named", r#"{"write": false}"#, "none", "none", "no", "no"],
    ["C3, D: nothing is given", r#"{}"#, "none", "none", "no", "no"],
    ["A: nothing here is searched", r#"{"read": true, "search": false}"#, "all", "none", "no", "no"],

    // Field by field.
    ["E", r#"{"fields": {"f": {"read": true}}}"#, "f", "none", "no", "no"],
    ["E: writing implies reading", r#"{"fields": {"f": {"write": true}}}"#, "f", "f", "no", "no"],
    ["E", r#"{"fields": {"f": {"read": false}}}"#, "none", "none", "no", "no"],
    ["E: writing implies reading", r#"{"fields": {"f": {"read": false, "write": true}}}"#, "f", "f", "no", "no"],
    ["E, B4", r#"{"fields": {"f": {"read": true, "write": false}}}"#, "f", "none", "no", "no"],
    ["D: all are additional", r#"{"additional_fields": {"read": true}}"#, "all", "none", "no", "no"],
    ["D, B4: all are additional", r#"{"additional_fields": {"write": true}}"#, "all", "all", "yes", "yes"],
    ["D: the named one is not additional", r#"{"fields": {"f": {}}, "additional_fields": {"read": true}}"#, "_id g owner", "none", "no", "no"],
    ["B4: insert needs every field", r#"{"fields": {"f": {}}, "additional_fields": {"write": true}}"#, "_id g owner", "g owner", "no", "no"],
    ["B4: every field", r#"{"fields": {"f": {"write": true}}, "additional_fields": {"write": true}}"#, "all", "all", "yes", "yes"],
    ["E, B4", r#"{"fields": {"f": {"write": true}}, "additional_fields": {"read": true}}"#, "all", "f", "no", "no"],
    ["E, B4", r#"{"fields": {"f": {"read": true}}, "additional_fields": {"write": true}}"#, "all", "g owner", "no", "no"],
    ["E, B4", r#"{"fields": {"f": {"read": true}}, "additional_fields": {"write": false}}"#, "f", "none", "no", "no"],

    // The document's rule stands above those of its fields.
    ["C1, B4", r#"{"read": true, "fields": {"f": {"write": true}}}"#, "all", "f", "no", "no"],
    ["C1, B4", r#"{"read": true, "fields": {"f": {"write": true}}, "additional_fields": {"write": true}}"#, "all", "all", "yes", "yes"],
    ["C1: a field takes nothing back", r#"{"read": true, "fields": {"f": {"read": false}}}"#, "all", "none", "no", "no"],
    ["C4: the chart, B2", r#"{"read": true, "write": false, "fields": {"f": {"write": true}}}"#, "all", "none", "no", "no"],
    ["C2: fields are not consulted", r#"{"read": false, "fields": {"f": {"read": true}}}"#, "none", "none", "no", "no"],
    ["C2: fields are not consulted", r#"{"read": false, "fields": {"f": {"write": true}}}"#, "none", "none", "no", "no"],
    ["C2, B4: inserting reads nothing", r#"{"read": false, "additional_fields": {"write": true}}"#, "none", "none", "yes", "no"],
    ["C3: write false goes on to the fields", r#"{"write": false, "fields": {"f": {"read": true}}}"#, "f", "none", "no", "no"],
    ["C3, E, B2", r#"{"write": false, "fields": {"f": {"write": true}}}"#, "f", "none", "no", "no"],
    ["B3: a field takes nothing back", r#"{"write": true, "fields": {"f": {"read": false, "write": false}}}"#, "all", "all", "yes", "yes"],

    // Insert and delete.
    ["B3", r#"{"write": true, "insert": false}"#, "all", "all", "no", "yes"],
    ["B3", r#"{"write": true, "insert": true}"#, "all", "all", "yes", "yes"],
    ["B1", r#"{"write": true, "delete": false}"#, "all", "all", "yes", "no"],
    ["B1", r#"{"write": true, "delete": true}"#, "all", "all", "yes", "yes"],
    ["C3 (conflict): both default to true", r#"{"read": true, "write": true, "fields": {}}"#, "all", "all", "yes", "yes"],
    ["B4: insert alone writes nothing", r#"{"insert": true}"#, "none", "none", "no", "no"],
    ["C2 (conflict): delete needs writing", r#"{"read": true, "insert": true, "delete": true}"#, "all", "none", "no", "no"],
    ["B2, C2 (conflict)", r#"{"read": true, "write": false, "insert": true, "delete": true}"#, "all", "none", "no", "no"],
    ["B4", r#"{"additional_fields": {"write": true}, "insert": false}"#, "all", "all", "no", "yes"],
    ["B4, B1", r#"{"additional_fields": {"write": true}, "delete": false}"#, "all", "all", "yes", "no"],
    ["B4: of one field only", r#"{"fields": {"f": {"write": true}}, "insert": true, "delete": true}"#, "f", "f", "no", "no"],
    ["B3: an expression", r#"{"write": true, "insert": {"f": "x"}, "delete": {"f": "z"}}"#, "all", "all", "yes", "no"],
    ["B3: an expression", r#"{"write": true, "insert": {"f": "z"}, "delete": {"f": "x"}}"#, "all", "all", "no", "yes"],

    // Gates.
    ["B", r#"{"read": true, "document_filters": {"read": true}}"#, "all", "none", "no", "no"],
    ["B", r#"{"read": true, "document_filters": {"read": false}}"#, "none", "none", "no", "no"],
    ["B: an update needs reading, an insert not", r#"{"write": true, "document_filters": {"read": false}}"#, "none", "none", "yes", "no"],
    ["B: the write half opens", r#"{"write": true, "document_filters": {"read": false, "write": true}}"#, "all", "all", "yes", "yes"],
    ["A, B", r#"{"write": true, "document_filters": {"read": false, "write": false}}"#, "none", "none", "no", "no"],
    ["C1b: an undefined half does not gate", r#"{"read": true, "document_filters": {"write": false}}"#, "all", "none", "no", "no"],
    ["A", r#"{"write": true, "document_filters": {"write": false}}"#, "all", "none", "no", "no"],
    ["C1 (conflict)", r#"{"write": true, "document_filters": {"write": true}}"#, "all", "all", "yes", "yes"],
    ["C1 (conflict): an undefined half does not gate", r#"{"write": true, "document_filters": {"read": true}}"#, "all", "all", "yes", "yes"],
    ["C1 (conflict): neither half", r#"{"write": true, "document_filters": {}}"#, "all", "all", "yes", "yes"],
    ["B: a gate grants nothing", r#"{"document_filters": {"read": true, "write": true}}"#, "none", "none", "no", "no"],
    ["B, C2: a gate grants nothing", r#"{"read": false, "document_filters": {"read": true, "write": true}}"#, "none", "none", "no", "no"],
    ["B, E", r#"{"fields": {"f": {"write": true}}, "document_filters": {"read": false}}"#, "none", "none", "no", "no"],
    ["A, E", r#"{"fields": {"f": {"write": true}}, "document_filters": {"write": false}}"#, "f", "none", "no", "no"],
    ["A: the gate on both images", r#"{"write": true, "document_filters": {"write": {"f": "x"}}}"#, "all", "g owner", "yes", "yes"],

    // What expressions see.
    ["the role is picked on the previous document", r#"{"apply_when": {"owner": "%%user.custom_data.name"}, "write": true}"#, "all", "all", "yes", "yes"],
    ["no role", r#"{"apply_when": {"owner": "eve"}, "write": true}"#, "none", "none", "no", "no"],
    ["B3 on both images", r#"{"write": {"owner": "%%user.custom_data.name"}}"#, "all", "f g", "yes", "yes"],
    ["B2 on the previous image", r#"{"read": true, "write": {"owner": "z"}}"#, "all", "none", "no", "no"],
    ["insert only", r#"{"write": {"%%prevRoot": {"%exists": false}}, "insert": true, "delete": false}"#, "none", "none", "yes", "no"],
    ["insert only, and reading", r#"{"read": true, "write": {"%%prevRoot": {"%exists": false}}}"#, "all", "none", "yes", "no"],
    ["`%%prevRoot` is the previous document", r#"{"read": true, "write": {"%%prevRoot.f": "x"}}"#, "all", "all", "no", "yes"],
    ["`%%this` is the new value", r#"{"read": true, "fields": {"f": {"write": {"%%this": "z"}}}}"#, "all", "f", "no", "no"],
    ["`%%prev` is the previous value", r#"{"read": true, "fields": {"f": {"write": {"%%prev": "x"}}}}"#, "all", "f", "no", "no"],
    ["`%%prev` is not the new value", r#"{"read": true, "fields": {"f": {"write": {"%%prev": "z"}}}}"#, "all", "none", "no", "no"],
    ["`%%this` is what is stored, for a read", r#"{"fields": {"f": {"read": {"%%this": "x"}}}}"#, "f", "none", "no", "no"],
    ["no field may be read", r#"{"fields": {"f": {"read": {"%%this": "z"}}}}"#, "none", "none", "no", "no"],

    // Roles in their order.
    ["the first role decides, though it denies", r#"[{"read": false}, {"write": true}]"#, "none", "none", "no", "no"],
    ["a role that does not apply does not", r#"[{"apply_when": false, "read": false}, {"write": true}]"#, "all", "all", "yes", "yes"],
    ["a later role adds no right", r#"[{"apply_when": {"owner": "ada"}, "read": true}, {"write": true}]"#, "all", "none", "no", "no"],
    ["a later role adds no field", r#"[{"fields": {"f": {"read": true}}}, {"read": true}]"#, "f", "none", "no", "no"],
    ["what is not understood closes the role", r#"[{"read": true, "write": {"%near": 1}}, {"write": true}]"#, "none", "none", "no", "no"],
    ["whatever part it is", r#"[{"read": true, "search": {"%near": 1}}, {"write": true}]"#, "none", "none", "no", "no"],
    ["and stands in the way", r#"[{"apply_when": {"%near": 1}, "read": true}, {"write": true}]"#, "none", "none", "no", "no"],
    ["a closed role that does not apply is not in the way", r#"[{"apply_when": {"owner": "eve"}, "read": {"%near": 1}}, {"write": true}]"#, "all", "all", "yes", "yes"],
];
