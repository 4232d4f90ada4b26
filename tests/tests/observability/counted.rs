//! A recorder of metrics that a test reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

static VALUES: Mutex<BTreeMap<String, f64>> = Mutex::new(BTreeMap::new());
static DESCRIBED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

pub fn install() {
    metrics::set_global_recorder(Values).unwrap();
}

pub fn clear() {
    VALUES.lock().unwrap().clear();
}

/// What was counted, by name and labels: `name{label=value}`.
pub fn values() -> BTreeMap<String, f64> {
    VALUES.lock().unwrap().clone()
}

/// The sum of all that begins so.
pub fn sum(beginning: &str) -> f64 {
    values().iter().filter(|(key, _)| key.starts_with(beginning)).map(|(_, value)| value).sum()
}

/// Name and meaning of what was described.
pub fn described() -> BTreeMap<String, String> {
    DESCRIBED.lock().unwrap().clone()
}

struct Values;

struct Cell(String);

impl Cell {
    fn of(key: &Key) -> Arc<Self> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Self(format!("{}{{{}}}", key.name(), labels.join(","))))
    }

    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut values = VALUES.lock().unwrap();
        let value = values.entry(self.0.clone()).or_default();
        *value = change(*value);
    }
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
impl CounterFn for Cell {
    fn increment(&self, by: u64) {
        self.change(|value| value + by as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|_| value as f64);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

/// How often something was measured.
impl HistogramFn for Cell {
    fn record(&self, _: f64) {
        self.change(|value| value + 1.0);
    }
}

impl Recorder for Values {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        DESCRIBED.lock().unwrap().insert(key.as_str().to_owned(), help.into_owned());
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe_counter(key, unit, help);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe_counter(key, unit, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Cell::of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Cell::of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Cell::of(key))
    }
}
