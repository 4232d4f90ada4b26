//! `schema.json` to [`Node`]s.
//!
//! 1. Where a schema describes a property, its type and structure are what GraphQL was told of it, leniencies
//!    included; where it stands in another keyword (`anyOf`, `not`, …) it means what JSON Schema says.
//! 2. A keyword of the wrong shape counts as absent; a pattern that cannot be obeyed refuses every text. Both are
//!    reported.

use bson::Bson;
use serde_json::{Map, Value};

use super::node::{Combined, Dependency, Lists, Node, Numbers, Objects, Texts, Type, given};
use super::number::Multiple;
use super::text::{Format, Pattern};
use crate::report::Report;
use crate::schema::parse::types::{Named, Types};
use crate::schema::parse::{MAX_DEPTH, Parser, child, number};
use crate::schema::{BsonType, ObjectSchema, Property, PropertyKind};

/// Compiles the schemas of one file.
pub(in crate::schema) struct Compiler<'a> {
    pub(in crate::schema) file: &'a str,
    pub(in crate::schema) report: &'a mut Report,
}

/// Where a schema stands.
#[derive(Clone, Copy)]
struct Place<'p> {
    at: &'p str,
    depth: usize,
    /// What GraphQL was told of it; `None` inside other keywords.
    object: Option<&'p ObjectSchema>,
    items: Option<&'p Property>,
}

impl Compiler<'_> {
    /// The schema of a collection's documents.
    pub(in crate::schema) fn root(&mut self, node: &Map<String, Value>, root: &ObjectSchema) -> Node {
        let place = Place { at: "", depth: 0, object: Some(root), items: None };
        self.node(node, Some(vec![Type::Object]), place)
    }

    fn property(&mut self, json: &Value, property: &Property, (at, depth): (&str, usize)) -> Node {
        let Some(node) = json.as_object().filter(|_| depth <= MAX_DEPTH) else { return Node::default() };
        let place = Place { at, depth, object: object_of(&property.kind), items: items_of(&property.kind) };
        let mut types = types_of(&property.kind);
        if let Some(types) = types.as_mut().filter(|_| property.nullable) {
            types.push(Type::Scalar(BsonType::Null));
        }
        self.node(node, types, place)
    }

    /// A schema inside of another keyword.
    fn schema(&mut self, json: &Value, at: &str, depth: usize) -> Node {
        match json {
            Value::Bool(true) => Node::default(),
            Value::Bool(false) => Node::nothing(),
            Value::Object(node) if depth <= MAX_DEPTH => {
                let mut parser = Parser { file: self.file, report: self.report };
                parser.keywords(node, at);
                let types = named_types(&Types::of(node, at, &mut parser));
                self.node(node, types, Place { at, depth, object: None, items: None })
            }
            _ => {
                self.error(at, "it is no schema that can be obeyed: it takes nothing");
                Node::nothing()
            }
        }
    }

    fn node(&mut self, node: &Map<String, Value>, types: Option<Vec<Type>>, place: Place<'_>) -> Node {
        let at = place.at;
        Node {
            types,
            one_of: self.one_of(node, at),
            constant: node.get("const").and_then(|json| self.bson(json, &child(at, "const"))),
            numbers: self.numbers(node, at),
            texts: self.texts(node, at),
            lists: self.lists(node, place),
            objects: self.objects(node, place),
            combined: self.combined(node, place),
        }
    }

    fn numbers(&mut self, node: &Map<String, Value>, at: &str) -> Option<Box<Numbers>> {
        given(Numbers {
            minimum: self.bound(node, at, ["minimum", "exclusiveMinimum"]),
            maximum: self.bound(node, at, ["maximum", "exclusiveMaximum"]),
            multiple_of: node.get("multipleOf").and_then(|json| {
                let multiple = number(json).and_then(Multiple::of);
                self.warn_unless(multiple.is_some(), &child(at, "multipleOf"), "must be a number above zero");
                multiple
            }),
        })
    }

    fn texts(&mut self, node: &Map<String, Value>, at: &str) -> Option<Box<Texts>> {
        let pattern = node.get("pattern").and_then(|json| {
            let at = child(at, "pattern");
            self.warn_unless(json.is_string(), &at, "must be a text");
            Some(self.pattern(json.as_str()?, &at))
        });
        let format = node.get("format").and_then(|json| {
            let format = json.as_str().and_then(Format::named);
            self.warn_unless(format.is_some(), &child(at, "format"), "is not known");
            format
        });
        let (min, max) = (self.count(node, at, "minLength"), self.count(node, at, "maxLength"));
        given(Texts { min, max, pattern, format })
    }

    fn lists(&mut self, node: &Map<String, Value>, place: Place<'_>) -> Option<Box<Lists>> {
        let Place { at, depth, items, .. } = place;
        let mut lists = Lists {
            min: self.count(node, at, "minItems"),
            max: self.count(node, at, "maxItems"),
            unique: self.switch(node, at, "uniqueItems"),
            contains: self.optional(node, "contains", place),
            others: self.optional(node, "additionalItems", place),
            ..Lists::default()
        };
        let at = child(at, "items");
        match (node.get("items"), items) {
            (Some(json @ Value::Object(node)), Some(items)) if !node.is_empty() => {
                lists.items = Some(self.property(json, items, (&at, depth + 1)));
            }
            (Some(Value::Array(places)), _) => {
                let places = places.iter().enumerate();
                lists.places = places
                    .map(|(index, json)| self.schema(json, &child(&at, &index.to_string()), depth + 1))
                    .collect();
            }
            (Some(json @ (Value::Object(_) | Value::Bool(_))), None) => {
                lists.items = Some(self.schema(json, &at, depth + 1));
            }
            _ => {}
        }
        given(lists)
    }

    fn objects(&mut self, node: &Map<String, Value>, place: Place<'_>) -> Option<Box<Objects>> {
        let Place { at, depth, object, .. } = place;
        let required = match object {
            Some(object) => object.required.clone(),
            None => self.names(node.get("required"), &child(at, "required")),
        };
        let others = node.get("additionalProperties").filter(|json| json.is_object());
        given(Objects {
            properties: self.properties(node, place),
            patterns: self.patterns(node, place),
            closed: node.get("additionalProperties") == Some(&Value::Bool(false)),
            others: others.map(|json| self.schema(json, &child(at, "additionalProperties"), depth + 1)),
            required,
            names: self.optional(node, "propertyNames", place),
            min: self.count(node, at, "minProperties"),
            max: self.count(node, at, "maxProperties"),
            dependencies: self.dependencies(node, place),
        })
    }

    fn properties(&mut self, node: &Map<String, Value>, place: Place<'_>) -> Vec<(String, Node)> {
        let at = child(place.at, "properties");
        let Some(Value::Object(map)) = node.get("properties") else { return Vec::new() };
        let mut properties = Vec::with_capacity(map.len());
        for (name, json) in map {
            let (here, depth) = (child(&at, name), place.depth + 1);
            let known =
                place.object.and_then(|object| object.properties.iter().find(|(known, _)| known == name));
            let node = match known {
                Some((_, property)) => self.property(json, property, (&here, depth)),
                None => self.schema(json, &here, depth),
            };
            properties.push((name.clone(), node));
        }
        properties
    }

    fn patterns(&mut self, node: &Map<String, Value>, place: Place<'_>) -> Vec<(Pattern, Node)> {
        let at = child(place.at, "patternProperties");
        let Some(json) = node.get("patternProperties") else { return Vec::new() };
        self.warn_unless(json.is_object(), &at, "must be an object");
        let entries = json.as_object().into_iter().flatten();
        entries
            .map(|(text, json)| {
                let here = child(&at, text);
                let pattern = self.pattern(text, &here);
                (pattern, self.schema(json, &here, place.depth + 1))
            })
            .collect()
    }

    fn dependencies(&mut self, node: &Map<String, Value>, place: Place<'_>) -> Vec<(String, Dependency)> {
        let at = child(place.at, "dependencies");
        let Some(json) = node.get("dependencies") else { return Vec::new() };
        self.warn_unless(json.is_object(), &at, "must be an object");
        let entries = json.as_object().into_iter().flatten();
        entries
            .map(|(name, json)| {
                let here = child(&at, name);
                let dependency = match json {
                    Value::Array(_) => Dependency::Properties(self.names(Some(json), &here)),
                    json => Dependency::Schema(self.schema(json, &here, place.depth + 1)),
                };
                (name.clone(), dependency)
            })
            .collect()
    }

    fn combined(&mut self, node: &Map<String, Value>, place: Place<'_>) -> Option<Box<Combined>> {
        let condition = self.optional(node, "if", place);
        let (then, otherwise) = (self.optional(node, "then", place), self.optional(node, "else", place));
        given(Combined {
            all: self.several(node, "allOf", place).unwrap_or_default(),
            any: self.several(node, "anyOf", place),
            one: self.several(node, "oneOf", place),
            not: self.optional(node, "not", place),
            condition: condition.map(|condition| (condition, then, otherwise)),
        })
    }

    fn optional(&mut self, node: &Map<String, Value>, keyword: &str, place: Place<'_>) -> Option<Node> {
        node.get(keyword).map(|json| self.schema(json, &child(place.at, keyword), place.depth + 1))
    }

    fn several(&mut self, node: &Map<String, Value>, keyword: &str, place: Place<'_>) -> Option<Vec<Node>> {
        let at = child(place.at, keyword);
        let json = node.get(keyword)?;
        let schemas = json.as_array().filter(|schemas| !schemas.is_empty());
        self.warn_unless(schemas.is_some(), &at, "must be a list of schemas");
        let schemas = schemas?.iter().enumerate();
        Some(
            schemas
                .map(|(index, json)| self.schema(json, &child(&at, &index.to_string()), place.depth + 1))
                .collect(),
        )
    }

    fn one_of(&mut self, node: &Map<String, Value>, at: &str) -> Option<Vec<Bson>> {
        let at = child(at, "enum");
        let json = node.get("enum")?;
        let Some(list) = json.as_array() else {
            self.report.warn(self.file, &at, "`enum` must be a list; ignored");
            return None;
        };
        let list = list.iter().enumerate();
        Some(list.filter_map(|(index, json)| self.bson(json, &child(&at, &index.to_string()))).collect())
    }

    fn bson(&mut self, json: &Value, at: &str) -> Option<Bson> {
        Bson::try_from(json.clone()).map_err(|error| self.error(at, error.to_string())).ok()
    }

    fn pattern(&mut self, text: &str, at: &str) -> Pattern {
        let (pattern, problem) = Pattern::new(text);
        if let Some(problem) = problem {
            self.error(at, format!("the pattern cannot be obeyed ({problem}): it matches nothing"));
        }
        pattern
    }

    /// Draft 4 has a switch beside the bound, later drafts a bound of its own; both are understood.
    fn bound(&mut self, node: &Map<String, Value>, at: &str, names: [&str; 2]) -> Option<(f64, bool)> {
        let [inclusive, exclusive] = names;
        let bound = node.get(inclusive).and_then(|json| {
            let bound = number(json);
            self.warn_unless(bound.is_some(), &child(at, inclusive), "must be a number");
            bound
        });
        match node.get(exclusive) {
            None => Some((bound?, false)),
            Some(Value::Bool(exclusive)) => Some((bound?, *exclusive)),
            Some(json) if bound.is_none() && number(json).is_some() => Some((number(json)?, true)),
            Some(_) => {
                self.warn_unless(false, &child(at, exclusive), "must be true or false");
                Some((bound?, false))
            }
        }
    }

    fn count(&mut self, node: &Map<String, Value>, at: &str, keyword: &str) -> Option<u64> {
        let json = node.get(keyword)?;
        // Canonical extended JSON and whole floats occur: what counts is the number.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
        let count = number(json).filter(|n| *n >= 0.0 && n.fract() == 0.0).map(|n| n as u64);
        self.warn_unless(count.is_some(), &child(at, keyword), "must be a whole number");
        count
    }

    fn switch(&mut self, node: &Map<String, Value>, at: &str, keyword: &str) -> bool {
        let Some(json) = node.get(keyword) else { return false };
        self.warn_unless(json.is_boolean(), &child(at, keyword), "must be true or false");
        json.as_bool().unwrap_or(false)
    }

    fn names(&mut self, json: Option<&Value>, at: &str) -> Vec<String> {
        let Some(json) = json else { return Vec::new() };
        let names = json.as_array().map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned));
        self.warn_unless(names.is_some(), at, "must be a list of names");
        names.into_iter().flatten().collect()
    }

    fn warn_unless(&mut self, is_good: bool, at: &str, wrong: &str) {
        if !is_good {
            let keyword = at.rsplit('/').next().unwrap_or_default();
            self.report.warn(self.file, at, format!("`{keyword}` {wrong}; ignored"));
        }
    }

    fn error(&mut self, at: &str, message: impl Into<String>) {
        self.report.error(self.file, at, message);
    }
}

fn types_of(kind: &PropertyKind) -> Option<Vec<Type>> {
    match kind {
        PropertyKind::Any => None,
        PropertyKind::Scalar(scalar) => Some(vec![Type::Scalar(*scalar)]),
        PropertyKind::Object(_) => Some(vec![Type::Object]),
        PropertyKind::Array(_) => Some(vec![Type::Array]),
        PropertyKind::OneOf(kinds) => {
            let types: Option<Vec<_>> = kinds.iter().map(types_of).collect();
            types.map(|types| types.into_iter().flatten().collect())
        }
    }
}

fn object_of(kind: &PropertyKind) -> Option<&ObjectSchema> {
    match kind {
        PropertyKind::Object(object) => Some(object),
        PropertyKind::OneOf(kinds) => kinds.iter().find_map(object_of),
        PropertyKind::Any | PropertyKind::Scalar(_) | PropertyKind::Array(_) => None,
    }
}

fn items_of(kind: &PropertyKind) -> Option<&Property> {
    match kind {
        PropertyKind::Array(items) => Some(items),
        PropertyKind::OneOf(kinds) => kinds.iter().find_map(items_of),
        PropertyKind::Any | PropertyKind::Scalar(_) | PropertyKind::Object(_) => None,
    }
}

fn named_types(types: &Types) -> Option<Vec<Type>> {
    if !types.declared || types.named.contains(&Named::Any) {
        return None;
    }
    let named = types.named.iter().filter_map(|named| match named {
        Named::Object => Some(Type::Object),
        Named::Array => Some(Type::Array),
        Named::Scalar(scalar) => Some(Type::Scalar(*scalar)),
        Named::Any => None,
    });
    Some(named.chain(types.null.then_some(Type::Scalar(BsonType::Null))).collect())
}
