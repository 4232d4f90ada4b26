//! What the flowcharts of the specification say of one cell, for a document with `f`, which the role names,
//! and `g`, which it does not.

use serde_json::{Map, Value, json};

/// A permission: not given, true or false.
pub(crate) type State = Option<bool>;

/// One cell of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) read: State,
    pub(crate) write: State,
    pub(crate) field_read: State,
    pub(crate) field_write: State,
    pub(crate) additional_read: State,
    pub(crate) additional_write: State,
    pub(crate) gate_read: State,
    pub(crate) gate_write: State,
    pub(crate) insert: State,
    pub(crate) delete: State,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// `f` is seen.
    pub(crate) sees_named: bool,
    /// `g` is seen; without either the document is left out.
    pub(crate) sees_other: bool,
    /// `f` may be changed.
    pub(crate) updates_named: bool,
    /// `f` may be taken away.
    pub(crate) removes_named: bool,
    /// `g` may be changed.
    pub(crate) updates_other: bool,
    /// Both may be changed at once.
    pub(crate) updates_both: bool,
    /// The document may be inserted.
    pub(crate) inserts: bool,
    /// The document may be deleted.
    pub(crate) deletes: bool,
}

/// Every cell.
pub(crate) fn cells() -> impl Iterator<Item = Cell> {
    const STATES: [State; 3] = [None, Some(true), Some(false)];
    (0..3_usize.pow(10)).map(|number| {
        let state = |digit: u32| STATES[number / 3_usize.pow(digit) % 3];
        Cell {
            read: state(0),
            write: state(1),
            field_read: state(2),
            field_write: state(3),
            additional_read: state(4),
            additional_write: state(5),
            gate_read: state(6),
            gate_write: state(7),
            insert: state(8),
            delete: state(9),
        }
    })
}

impl Cell {
    /// The role, as it would stand in `rules.json`.
    pub(crate) fn role(&self) -> Value {
        let part = |members: &[(&str, State)]| {
            let given =
                members.iter().filter_map(|(name, state)| Some(((*name).to_owned(), json!((*state)?))));
            Value::Object(given.collect::<Map<_, _>>())
        };
        let mut role = part(&[
            ("read", self.read),
            ("write", self.write),
            ("insert", self.insert),
            ("delete", self.delete),
        ]);
        role["name"] = json!("cell");
        role["apply_when"] = json!({});
        role["fields"] = json!({ "f": part(&[("read", self.field_read), ("write", self.field_write)]) });
        role["additional_fields"] = part(&[("read", self.additional_read), ("write", self.additional_write)]);
        role["document_filters"] = part(&[("read", self.gate_read), ("write", self.gate_write)]);
        role
    }

    /// The flowcharts, step by step.
    pub(crate) fn expected(&self) -> Outcome {
        // 6.3 B with decision 15: an undefined half does not gate, a `write` that is true opens.
        let read_gate = self.gate_read != Some(false) || self.gate_write == Some(true);
        // 6.3 C1 to C3: the whole document, none of it, or what its fields decide (D, E).
        let sees = |read: State, write: State| {
            read_gate
                && match (self.read, self.write) {
                    (Some(true), _) | (_, Some(true)) => true,
                    (Some(false), _) => false,
                    (None, _) => read == Some(true) || write == Some(true),
                }
        };
        let sees_named = sees(self.field_read, self.field_write);
        let sees_other = sees(self.additional_read, self.additional_write);
        let readable = sees_named || sees_other;
        // 6.4 A with decision 15 (C1, C1b).
        let write_gate = self.gate_write != Some(false);
        // 6.4 B2 and B3 decide for the document, B4 for each changed field.
        let writes = |field: State| write_gate && self.write.or(field) == Some(true);
        let (named, other) = (writes(self.field_write), writes(self.additional_write));
        Outcome {
            sees_named,
            sees_other,
            // Decisions 16 and 17: what is not seen is not matched.
            updates_named: readable && named,
            removes_named: readable && named,
            updates_other: readable && other,
            updates_both: readable && named && other,
            // B3, B4 and C3: every field, and `insert`, which is true when omitted.
            inserts: named && other && self.insert != Some(false),
            // B1 with C2 and C3: `delete`, which is true when omitted, and the write of every field.
            deletes: readable && named && other && self.delete != Some(false),
        }
    }
}
