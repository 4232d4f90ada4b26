//! Every span and event of the process, of every level and every crate.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// A span or an event.
#[derive(Clone, Debug)]
pub struct Told {
    /// The span's name; the target of an event.
    pub name: String,
    pub level: Level,
    pub is_span: bool,
    /// The span's number.
    pub id: Option<u64>,
    /// The number of the span around it.
    pub parent: Option<u64>,
    pub fields: BTreeMap<String, String>,
}

static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());
static TURN: Mutex<()> = Mutex::new(());

/// From now on until it is dropped, all that is told belongs to this story.
pub struct Capture(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Capture {
    pub fn begin() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(Everything);
            tracing::subscriber::set_global_default(subscriber).unwrap();
            crate::counted::install();
        });
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        TOLD.lock().unwrap().clear();
        crate::counted::clear();
        Self(turn)
    }

    pub fn told(&self) -> Vec<Told> {
        TOLD.lock().unwrap().clone()
    }

    /// The spans of this name, in their order.
    pub fn spans(&self, name: &str) -> Vec<Told> {
        self.told().into_iter().filter(|told| told.is_span && told.name == name).collect()
    }

    /// The events of this target, in their order.
    pub fn events(&self, target: &str) -> Vec<Told> {
        self.told().into_iter().filter(|told| !told.is_span && told.name == target).collect()
    }

    /// Names of the spans around a span, innermost first.
    pub fn around(&self, span: &Told) -> Vec<String> {
        let all = self.told();
        let mut names = Vec::new();
        let mut parent = span.parent;
        while let Some(id) = parent {
            let found = all.iter().rev().find(|told| told.id == Some(id)).unwrap();
            names.push(found.name.clone());
            parent = found.parent;
        }
        names
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        self.told().iter().map(|told| format!("{told:?}\n")).collect()
    }
}

impl Told {
    #[track_caller]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("no `{name}`: {self:?}"))
    }
}

struct Everything;

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Everything {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| span.parent()).map(|span| span.id().into_u64());
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        note(metadata, metadata.name(), (Some(id.into_u64()), parent), fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        // The numbers of spans that have ended are given out again.
        let mut told = TOLD.lock().unwrap();
        if let Some(span) = told.iter_mut().rev().find(|told| told.id == Some(id.into_u64())) {
            span.fields.extend(fields.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let parent = context.event_span(event).map(|span| span.id().into_u64());
        note(event.metadata(), event.metadata().target(), (None, parent), fields);
    }
}

fn note(metadata: &Metadata<'_>, name: &str, (id, parent): (Option<u64>, Option<u64>), fields: Fields) {
    let (level, is_span) = (*metadata.level(), metadata.is_span());
    TOLD.lock().unwrap().push(Told { name: name.to_owned(), level, is_span, id, parent, fields: fields.0 });
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
