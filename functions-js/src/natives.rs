//! What the prelude asks of the host. Scripts never see these functions, only what the prelude makes of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use backstitch::env::Random;
use backstitch::functions::CallContext;
use bson::{Bson, Decimal128, Document};
use futures_channel::mpsc::UnboundedSender;
use rquickjs::function::IntoJsFunc;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use crate::fetch;
use crate::from_js::Reader;
use crate::job::{Ask, Job, Told, Unit};
use crate::settings::Settings;
use crate::to_js::{Codec, decimal_bytes, hex};

/// What the natives of a realm work with.
pub(crate) struct Natives {
    settings: Arc<Settings>,
    random: Arc<dyn Random>,
    live: RefCell<Option<Live>>,
}

/// The call that the realm is used by.
struct Live {
    unit: Arc<Unit>,
    context: CallContext,
    /// The user who calls, whoever it runs as.
    user: Document,
    told: UnboundedSender<Told>,
    /// What was asked and not answered, with its bytes.
    pending: HashMap<u32, usize>,
    next: u32,
    /// Bytes that may still be logged.
    log: usize,
}

impl Natives {
    pub(crate) fn new(settings: Arc<Settings>, random: Arc<dyn Random>) -> Rc<Self> {
        Rc::new(Self { settings, random, live: RefCell::default() })
    }

    /// Puts a call behind them.
    pub(crate) fn begin(&self, job: &Job) {
        *self.live.borrow_mut() = Some(Live {
            unit: Arc::clone(&job.unit),
            context: job.call.context.clone(),
            user: job.call.actor.as_document(),
            told: job.told.clone(),
            pending: HashMap::new(),
            next: 0,
            log: self.settings.log,
        });
    }

    /// How much was asked and not answered.
    pub(crate) fn pending(&self) -> usize {
        self.live.borrow().as_ref().map_or(0, |live| live.pending.len())
    }

    /// This was answered.
    pub(crate) fn answered(&self, id: u32) {
        if let Some(live) = self.live.borrow_mut().as_mut() {
            live.pending.remove(&id);
            // Nobody listens any more when the call was dropped; the meter ends it.
            let _ = live.told.unbounded_send(Told::Taken);
        }
    }

    /// How many bytes may still be asked with: what waits for an answer counts.
    fn room(&self) -> usize {
        let waiting = self.of(|live| Some(live.pending.values().sum())).unwrap_or(0);
        self.settings.value.saturating_sub(waiting)
    }

    /// The object that the prelude is called with.
    pub(crate) fn object<'js>(self: &Rc<Self>, ctx: &Ctx<'js>) -> Result<Object<'js>> {
        let host = Object::new(ctx.clone())?;
        self.add_calls(ctx, &host)?;
        self.add_values(ctx, &host)?;
        Ok(host)
    }

    fn add_calls<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
        let it = Rc::clone(self);
        let ask = move |ctx: Ctx<'js>,
                        codec: Object<'js>,
                        kind: String,
                        name: String,
                        method: String,
                        arguments: Value<'js>| {
            let codec = Codec::of(&codec)?;
            let mut reader = Reader::new(&ctx, &codec, it.room());
            let arguments = reader.items(arguments)?;
            it.ask(&kind, name, &method, (arguments, reader.bytes()))
                .map_err(|text| Exception::throw_message(&ctx, &text))
        };
        add(ctx, host, "ask", ask)?;
        let it = Rc::clone(self);
        let value = move |ctx: Ctx<'js>, codec: Object<'js>, name: String| match it
            .of(|live| Some(live.context.value(&name)))
        {
            Some(Ok(Some(value))) => Codec::of(&codec)?.to_js(&ctx, &value),
            Some(Err(error)) => Err(Exception::throw_message(&ctx, error.hint())),
            Some(Ok(None)) | None => Ok(Value::new_undefined(ctx)),
        };
        add(ctx, host, "value", value)?;
        let it = Rc::clone(self);
        let about = move |ctx: Ctx<'js>, codec: Object<'js>, what: String| {
            let document = it.of(|live| {
                Some(match what.as_str() {
                    "user" => live.user.clone(),
                    "request" => live.context.request().clone(),
                    "environment" => live.context.environment(),
                    _ => live.context.app(),
                })
            });
            Codec::of(&codec)?.object(&ctx, &document.unwrap_or_default())
        };
        add(ctx, host, "about", about)?;
        let it = Rc::clone(self);
        add(ctx, host, "runsAsSystem", move || {
            it.of(|live| Some(live.context.runs_as_system())).unwrap_or(false)
        })?;
        let it = Rc::clone(self);
        add(ctx, host, "log", move |level: String, text: String| it.log(&level, &text))
    }

    fn add_values<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, host: &Object<'js>) -> Result<()> {
        let it = Rc::clone(self);
        add(ctx, host, "objectId", move |ctx: Ctx<'js>| it.draw::<12>(&ctx).map(|bytes| hex(&bytes)))?;
        let it = Rc::clone(self);
        add(ctx, host, "random", move |ctx: Ctx<'js>| {
            #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
            it.draw::<8>(&ctx).map(|bytes| (u64::from_be_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64)
        })?;
        add(ctx, host, "decimalHex", |ctx: Ctx<'js>, text: String| match text.parse::<Decimal128>() {
            Ok(number) => Ok(hex(&number.bytes())),
            Err(_) => Err(Exception::throw_type(&ctx, &format!("`{text}` is no decimal number"))),
        })?;
        add(ctx, host, "decimalText", |ctx: Ctx<'js>, text: String| {
            decimal_bytes(&ctx, &text).map(|bytes| Decimal128::from_bytes(bytes).to_string())
        })?;
        add(ctx, host, "utf8", |text: String| fetch::base64(text.as_bytes()))?;
        add(ctx, host, "text", |ctx: Ctx<'js>, text: String| match fetch::bytes(&text) {
            Some(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            None => Err(Exception::throw_type(&ctx, "no base64")),
        })?;
        let limit = self.settings.value;
        add(
            ctx,
            host,
            "stringify",
            move |ctx: Ctx<'js>, codec: Object<'js>, value: Value<'js>, relaxed: bool, indent: usize| {
                let value = Reader::new(&ctx, &Codec::of(&codec)?, limit).value(value)?;
                let json =
                    if relaxed { value.into_relaxed_extjson() } else { value.into_canonical_extjson() };
                print(&json, indent).ok_or_else(|| Exception::throw_type(&ctx, "no value"))
            },
        )?;
        add(ctx, host, "parse", move |ctx: Ctx<'js>, codec: Object<'js>, text: String| {
            let parsed = serde_json::from_str::<serde_json::Value>(&text).map_err(|error| error.to_string());
            match parsed.and_then(|json| Bson::try_from(json).map_err(|error| error.to_string())) {
                Ok(value) => Codec::of(&codec)?.to_js(&ctx, &value),
                Err(error) => Err(Exception::throw_syntax(&ctx, &error)),
            }
        })
    }

    fn of<T>(&self, ask: impl FnOnce(&Live) -> Option<T>) -> Option<T> {
        self.live.borrow().as_ref().and_then(ask)
    }

    fn draw<const N: usize>(&self, ctx: &Ctx<'_>) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.random.fill(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(_) => Err(Exception::throw_message(ctx, "there is no randomness")),
        }
    }

    /// Hands a wish to the asynchronous side; the number is that of the promise.
    fn ask(
        &self,
        kind: &str,
        name: String,
        method: &str,
        (arguments, bytes): (Vec<Bson>, usize),
    ) -> std::result::Result<u32, String> {
        let mut live = self.live.borrow_mut();
        let live = live.as_mut().ok_or("nobody called")?;
        if live.pending.len() >= self.settings.pending {
            return Err(format!("more than {} requests are waiting for an answer", self.settings.pending));
        }
        let ask = match kind {
            "service" => Ask::Service { service: name, name: method.to_owned(), arguments },
            "function" => Ask::Function { name, arguments },
            _ => Ask::Fetch(fetch::request(&name, method, &arguments)?),
        };
        let id = live.next;
        live.next = live.next.wrapping_add(1);
        live.pending.insert(id, bytes);
        // Nobody listens any more when the call was dropped; the meter ends it.
        let _ = live.told.unbounded_send(Told::Ask(id, ask));
        Ok(id)
    }

    fn log(&self, level: &str, text: &str) {
        let mut live = self.live.borrow_mut();
        let Some(live) = live.as_mut() else { return };
        if live.log == 0 {
            return;
        }
        let shown = shorten(text, live.log);
        live.log = live.log.saturating_sub(text.len().max(1));
        let function = live.unit.name.as_str();
        match level {
            "debug" => tracing::debug!(target: "backstitch::js", function, "{shown}"),
            "warn" => tracing::warn!(target: "backstitch::js", function, "{shown}"),
            "error" => tracing::error!(target: "backstitch::js", function, "{shown}"),
            _ => tracing::info!(target: "backstitch::js", function, "{shown}"),
        }
        if live.log == 0 {
            tracing::warn!(target: "backstitch::js", function, "the function logs too much; the rest is not written");
        }
    }
}

fn add<'js, P>(
    ctx: &Ctx<'js>,
    host: &Object<'js>,
    name: &str,
    native: impl IntoJsFunc<'js, P> + 'js,
) -> Result<()> {
    host.set(name, Function::new(ctx.clone(), native)?)
}

/// The start of a text, of no more than so many bytes.
pub(crate) fn shorten(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// JSON, with so many spaces for each level, or on one line.
fn print(json: &serde_json::Value, indent: usize) -> Option<String> {
    use serde::Serialize as _;
    if indent == 0 {
        return serde_json::to_string(json).ok();
    }
    let (mut text, spaces) = (Vec::new(), " ".repeat(indent.min(10)));
    let formatter = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
    json.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter)).ok()?;
    String::from_utf8(text).ok()
}
