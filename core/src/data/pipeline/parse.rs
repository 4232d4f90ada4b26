//! Stages, read before anything runs.

use bson::{Bson, Document};

use super::Caller;
use super::group::{Accumulator, AccumulatorKind, Group};
use super::lookup::{Join, Lookup};
use super::stage::{Stage, Unwind};
use crate::data::expression::{Expression, Parser, members};
use crate::data::number::whole;
use crate::data::request::sort_keys;
use crate::data::segments;
use crate::data::shape::{Kind, Shape};
use crate::filter::Filter;

type Parsed<T> = Result<T, String>;

/// What a stage is read with.
#[derive(Clone, Copy)]
struct Context<'c> {
    caller: Caller,
    parser: &'c Parser,
}

/// Reads a stage's operand.
type Read = fn(&Bson, Context<'_>) -> Parsed<Stage>;

/// Every stage: its name and what reads it.
const STAGES: [(&str, Read); 15] = [
    ("$match", filter),
    ("$project", |operand, context| {
        Shape::parse(object("$project", operand)?, Kind::Project, context.parser).map(Stage::Shape)
    }),
    ("$addFields", fields),
    ("$set", fields),
    ("$unset", unset),
    ("$sort", |operand, _| {
        let keys = sort_keys(object("$sort", operand)?).map_err(|error| error.hint().to_owned())?;
        if keys.is_empty() { Err("$sort needs at least one field".to_owned()) } else { Ok(Stage::Sort(keys)) }
    }),
    ("$skip", |operand, _| number("$skip", operand).map(Stage::Skip)),
    ("$limit", |operand, _| match number("$limit", operand)? {
        0 => Err("the limit must be positive".to_owned()),
        limit => Ok(Stage::Limit(limit)),
    }),
    ("$group", group),
    ("$unwind", unwind),
    ("$count", count),
    ("$lookup", lookup),
    ("$replaceRoot", |operand, context| {
        let root = members("$replaceRoot", operand, &["newRoot"])?;
        let root = root.get("newRoot").ok_or("$replaceRoot needs 'newRoot'")?;
        context.parser.expression(root).map(Stage::ReplaceRoot)
    }),
    ("$replaceWith", |operand, context| context.parser.expression(operand).map(Stage::ReplaceRoot)),
    ("$sortByCount", sort_by_count),
];

/// Stages that users may not use, as the original had it.
const CLOSED: [&str; 9] = [
    "$collStats",
    "$facet",
    "$geoNear",
    "$graphLookup",
    "$indexStats",
    "$lookup",
    "$merge",
    "$out",
    "$unionWith",
];

/// The most stages of a pipeline; the original has this limit too.
const MOST: usize = 1000;

pub(super) fn stages(stages: &[Bson], caller: Caller, parser: &Parser) -> Parsed<Vec<Stage>> {
    if stages.len() > MOST {
        return Err(format!("a pipeline of more than {MOST} stages"));
    }
    stages.iter().map(|given| stage(given, Context { caller, parser })).collect()
}

fn stage(given: &Bson, context: Context<'_>) -> Parsed<Stage> {
    let one = match given {
        Bson::Document(stage) if stage.len() == 1 => stage.iter().next(),
        _ => None,
    };
    let (name, operand) = one.ok_or("a pipeline stage must be an object with exactly one field")?;
    if context.caller == Caller::User && CLOSED.contains(&name.as_str()) {
        return Err(format!("{name} is not allowed in a user's pipeline"));
    }
    let known = STAGES.iter().find(|(known, _)| known == name);
    let (_, read) = known.ok_or_else(|| format!("unrecognized pipeline stage name: '{name}'"))?;
    read(operand, context)
}

fn object<'b>(name: &str, operand: &'b Bson) -> Parsed<&'b Document> {
    operand.as_document().ok_or_else(|| format!("{name} takes an object"))
}

fn number(name: &str, operand: &Bson) -> Parsed<u64> {
    let found = whole(operand).and_then(|number| u64::try_from(number).ok());
    found.ok_or_else(|| format!("{name} takes a whole number, zero or more"))
}

fn filter(operand: &Bson, _: Context<'_>) -> Parsed<Stage> {
    Filter::parse(object("$match", operand)?).map(Stage::Match)
}

fn fields(operand: &Bson, context: Context<'_>) -> Parsed<Stage> {
    let document = operand.as_document().ok_or("$addFields and $set take an object")?;
    Shape::parse(document, Kind::AddFields, context.parser).map(Stage::Shape)
}

fn unset(operand: &Bson, _: Context<'_>) -> Parsed<Stage> {
    let wrong = || "$unset takes a field or a list of fields".to_owned();
    let paths: Vec<String> = match operand {
        Bson::String(path) => vec![path.clone()],
        Bson::Array(paths) => {
            let path = |path: &Bson| path.as_str().map(str::to_owned).ok_or_else(wrong);
            paths.iter().map(path).collect::<Parsed<_>>()?
        }
        _ => return Err(wrong()),
    };
    Shape::without(&paths).map(Stage::Shape)
}

fn group(operand: &Bson, context: Context<'_>) -> Parsed<Stage> {
    let document = object("$group", operand)?;
    let by = document.get("_id").ok_or("$group needs '_id'")?;
    let mut accumulators = Vec::new();
    for (name, accumulated) in document.iter().filter(|(name, _)| *name != "_id") {
        let one = accumulated.as_document().filter(|document| document.len() == 1);
        let (kind, argument) = one
            .and_then(|document| document.iter().next())
            .ok_or_else(|| format!("the field '{name}' of $group must be an accumulator"))?;
        let known = AccumulatorKind::named(kind);
        let known = known.ok_or_else(|| format!("unknown group operator '{kind}'"))?;
        accumulators.push((name.clone(), Accumulator::new(known, context.parser.expression(argument)?)));
    }
    Ok(Stage::Group(Group { by: context.parser.expression(by)?, accumulators }))
}

fn unwind(operand: &Bson, _: Context<'_>) -> Parsed<Stage> {
    let (path, index, keeps_empty) = match operand {
        Bson::String(path) => (Some(path.as_str()), None, false),
        operand => {
            let known = ["path", "includeArrayIndex", "preserveNullAndEmptyArrays"];
            let given = members("$unwind", operand, &known)?;
            let index = match given.get("includeArrayIndex") {
                None => None,
                Some(Bson::String(name)) if !name.is_empty() && !name.starts_with('$') => Some(name.clone()),
                Some(_) => return Err("'includeArrayIndex' of $unwind must be a field".to_owned()),
            };
            let keeps = given.get("preserveNullAndEmptyArrays") == Some(&Bson::Boolean(true));
            (given.get("path").and_then(Bson::as_str), index, keeps)
        }
    };
    let path = path.and_then(|path| path.strip_prefix('$')).filter(|path| !path.is_empty());
    let path = path.ok_or("the path of $unwind must begin with '$'")?;
    let path = segments(path)?.into_iter().map(str::to_owned).collect();
    if let Some(index) = &index {
        segments(index)?;
    }
    Ok(Stage::Unwind(Unwind { path, index, keeps_empty }))
}

fn count(operand: &Bson, _: Context<'_>) -> Parsed<Stage> {
    match operand {
        Bson::String(name) if !name.is_empty() && !name.starts_with('$') && !name.contains('.') => {
            Ok(Stage::Count(name.clone()))
        }
        _ => Err("$count takes the name of a field".to_owned()),
    }
}

fn sort_by_count(operand: &Bson, context: Context<'_>) -> Parsed<Stage> {
    let one = Accumulator::new(AccumulatorKind::Count, Expression::Nothing);
    let by = context.parser.expression(operand)?;
    Ok(Stage::SortByCount(Group { by, accumulators: vec![("count".to_owned(), one)] }))
}

fn lookup(operand: &Bson, context: Context<'_>) -> Parsed<Stage> {
    let known = ["from", "localField", "foreignField", "let", "pipeline", "as"];
    let given = members("$lookup", operand, &known)?;
    let text = |name: &str| match given.get(name) {
        Some(Bson::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        None => Ok(None),
        Some(_) => Err(format!("'{name}' of $lookup must be a string")),
    };
    let needed = |name: &str| text(name)?.ok_or_else(|| format!("$lookup needs '{name}'"));
    let join = match (text("localField")?, text("foreignField")?) {
        (Some(local), Some(foreign)) => Some(Join {
            local: local.split('.').map(str::to_owned).collect(),
            foreign: foreign.split('.').map(str::to_owned).collect(),
        }),
        (None, None) if given.contains_key("pipeline") => None,
        _ => return Err("$lookup needs 'localField' and 'foreignField', or a 'pipeline'".to_owned()),
    };
    let mut variables = Vec::new();
    match given.get("let") {
        None => {}
        Some(Bson::Document(named)) => {
            for (name, value) in named {
                variables.push((name.clone(), context.parser.expression(value)?));
            }
        }
        Some(_) => return Err("'let' of $lookup must be an object".to_owned()),
    }
    let inner = match given.get("pipeline") {
        None => Vec::new(),
        Some(Bson::Array(inner)) => {
            let parser = context.parser.knowing(variables.iter().map(|(name, _)| name.clone()));
            stages(inner, context.caller, &parser)?
        }
        Some(_) => return Err("'pipeline' of $lookup must be an array".to_owned()),
    };
    let into = needed("as")?;
    segments(&into)?;
    Ok(Stage::Lookup(Lookup { from: needed("from")?, into, join, variables, stages: inner }))
}
