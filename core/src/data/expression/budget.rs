//! What evaluating may take: steps, room and depth.

use std::cell::Cell;

use bson::Bson;

/// How much may still be evaluated, and how much a stage may still make.
#[derive(Debug)]
pub(in crate::data) struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
}

/// What the documents of a stage may take, bytes; the original has this limit too.
const STAGE_BYTES: u64 = 100 * 1024 * 1024;

/// What a single value may take, bytes: as much as a document.
const VALUE_BYTES: u64 = 16 * 1024 * 1024;

/// How deep a value may be nested.
const VALUE_DEPTH: usize = 200;

impl Budget {
    pub(in crate::data) fn new(steps: u64) -> Self {
        Self { steps: Cell::new(steps), bytes: Cell::new(STAGE_BYTES) }
    }

    /// Takes so many steps.
    pub(in crate::data) fn spend(&self, steps: u64) -> Result<(), String> {
        match self.steps.get().checked_sub(steps) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => Err("the pipeline takes too many steps (`pipeline_steps`)".to_owned()),
        }
    }

    /// A stage begins: what those before it have made is gone, or is its input.
    pub(in crate::data) fn begin_stage(&self) {
        self.bytes.set(STAGE_BYTES);
    }

    /// Takes the room of a value that a stage keeps.
    pub(in crate::data) fn keep(&self, value: &Bson) -> Result<(), String> {
        let weight = self.copied(value)?;
        match self.bytes.get().checked_sub(weight) {
            Some(left) => {
                self.bytes.set(left);
                Ok(())
            }
            None => Err(format!("a stage takes more than {STAGE_BYTES} bytes")),
        }
    }

    /// Takes the steps that it is to copy a value, which has to be one that a document may have; its weight in bytes.
    pub(in crate::data) fn copied(&self, value: &Bson) -> Result<u64, String> {
        let weight = weight(value, 0)?;
        if weight > VALUE_BYTES {
            return Err(format!("a value of more than {VALUE_BYTES} bytes"));
        }
        self.spend(weight / 64)?;
        Ok(weight)
    }
}

/// About what a value takes, bytes.
fn weight(value: &Bson, depth: usize) -> Result<u64, String> {
    if depth > VALUE_DEPTH {
        return Err(format!("a value is nested more than {VALUE_DEPTH} levels deep"));
    }
    let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    Ok(match value {
        Bson::String(text) => 16 + length(text.len()),
        Bson::Binary(binary) => 16 + length(binary.bytes.len()),
        Bson::Array(items) => {
            items.iter().try_fold(16, |sum, item| Ok::<_, String>(sum + weight(item, depth + 1)?))?
        }
        Bson::Document(document) => document.iter().try_fold(16, |sum, (key, item)| {
            Ok::<_, String>(sum + length(key.len()) + weight(item, depth + 1)?)
        })?,
        _ => 16,
    })
}
