//! Expressions, read before there is any document.

use bson::{Bson, Document};

use super::{Arguments, Expression, Operator, Variable};
use super::{arithmetic, array, comparison, convert, date, object, set, string};

type Parsed<T> = Result<T, String>;

/// How deep an expression may be nested.
const DEPTH: usize = 100;

/// Every family of operators.
const FAMILIES: [&[Operator]; 8] = [
    arithmetic::OPERATORS,
    array::OPERATORS,
    comparison::OPERATORS,
    convert::OPERATORS,
    date::OPERATORS,
    object::OPERATORS,
    set::OPERATORS,
    string::OPERATORS,
];

/// Operators that users may not use, as the original had it; nobody may here.
const CLOSED: [&str; 2] = ["$function", "$setIsSubset"];

/// Reads expressions, and knows which variables have a name where they stand.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct Parser {
    named: Vec<String>,
    depth: usize,
}

impl Parser {
    /// One that knows these variables besides.
    pub(in crate::data) fn knowing(&self, names: impl IntoIterator<Item = String>) -> Self {
        Self { named: self.named.iter().cloned().chain(names).collect(), depth: self.depth }
    }

    /// # Errors
    /// Which operator or variable is not known, or what does not fit.
    pub(in crate::data) fn expression(&self, value: &Bson) -> Parsed<Expression> {
        if self.depth > DEPTH {
            return Err(format!("the expression is nested more than {DEPTH} levels deep"));
        }
        let below = Self { named: self.named.clone(), depth: self.depth + 1 };
        match value {
            Bson::String(text) => match text.strip_prefix('$') {
                Some(path) => self.path(path),
                None => Ok(Expression::Literal(value.clone())),
            },
            Bson::Array(items) => {
                items.iter().map(|item| below.expression(item)).collect::<Parsed<_>>().map(Expression::Array)
            }
            Bson::Document(document) => below.document(document),
            other => Ok(Expression::Literal(other.clone())),
        }
    }

    /// `a.b` of `$a.b`, or `$name.a` of `$$name.a`.
    fn path(&self, text: &str) -> Parsed<Expression> {
        let (variable, path) = match text.strip_prefix('$') {
            None => (Variable::Root, text),
            Some(rest) => {
                let (name, path) = rest.split_once('.').unwrap_or((rest, ""));
                match name {
                    "ROOT" | "CURRENT" => (Variable::Root, path),
                    "NOW" => (Variable::Now, path),
                    "REMOVE" => return Ok(Expression::Nothing),
                    name if self.named.iter().any(|known| known == name) => {
                        (Variable::Named(name.to_owned()), path)
                    }
                    name => return Err(format!("use of undefined variable: {name}")),
                }
            }
        };
        let keys: Vec<String> = path.split('.').filter(|_| !path.is_empty()).map(str::to_owned).collect();
        if keys.iter().any(|key| key.is_empty() || key.starts_with('$'))
            || variable == Variable::Root && keys.is_empty() && !text.starts_with('$')
        {
            return Err(format!("'${text}' is no field path"));
        }
        Ok(Expression::Path(variable, keys))
    }

    fn document(&self, document: &Document) -> Parsed<Expression> {
        let mut operators = document.iter().filter(|(key, _)| key.starts_with('$'));
        match (operators.next(), document.len()) {
            (None, _) => {
                let field = |(name, value): (&String, &Bson)| Ok((name.clone(), self.expression(value)?));
                document.iter().map(field).collect::<Parsed<_>>().map(Expression::Document)
            }
            (Some((name, operand)), 1) => self.operator(name, operand),
            (Some((name, _)), _) => Err(format!(
                "an object that is an expression has one field, but '{name}' stands beside others"
            )),
        }
    }

    fn operator(&self, name: &str, operand: &Bson) -> Parsed<Expression> {
        match name {
            "$literal" => Ok(Expression::Literal(operand.clone())),
            "$and" => self.list(operand).map(Expression::And),
            "$or" => self.list(operand).map(Expression::Or),
            "$ifNull" => match self.list(operand)? {
                parts if parts.len() < 2 => Err("$ifNull needs at least two arguments".to_owned()),
                parts => Ok(Expression::IfNull(parts)),
            },
            "$cond" => self.condition(operand),
            "$switch" => self.switch(operand),
            "$let" => self.bound(operand),
            "$filter" => self.filter(operand),
            "$map" => self.map(operand),
            "$reduce" => self.reduce(operand),
            closed if CLOSED.contains(&closed) => Err(format!("{closed} is not allowed in this context")),
            name => {
                let known = FAMILIES.iter().flat_map(|family| family.iter()).find(|known| known.name == name);
                let known = known.ok_or_else(|| format!("unrecognized expression '{name}'"))?;
                self.applied(known, operand)
            }
        }
    }

    fn applied(&self, operator: &'static Operator, operand: &Bson) -> Parsed<Expression> {
        let name = operator.name;
        let arguments = match operator.arguments {
            Arguments::Listed(least, most) => {
                let arguments = self.list(operand)?;
                if !(least..=most).contains(&arguments.len()) {
                    return Err(format!(
                        "expression {name} takes {least} to {most} arguments, not {}",
                        arguments.len()
                    ));
                }
                arguments
            }
            Arguments::Named(needed, known) => {
                let members = members(name, operand, known)?;
                let argument = |(index, member): (usize, &&str)| match members.get(*member) {
                    Some(value) => self.expression(value),
                    None if index < needed => Err(format!("{name} needs '{member}'")),
                    None => Ok(Expression::Nothing),
                };
                known.iter().enumerate().map(argument).collect::<Parsed<_>>()?
            }
        };
        Ok(Expression::Operator(operator, arguments))
    }

    /// An array of arguments; a single one may stand without it.
    fn list(&self, operand: &Bson) -> Parsed<Vec<Expression>> {
        match operand {
            Bson::Array(items) => items.iter().map(|item| self.expression(item)).collect(),
            one => Ok(vec![self.expression(one)?]),
        }
    }

    fn boxed(&self, value: &Bson) -> Parsed<Box<Expression>> {
        self.expression(value).map(Box::new)
    }

    fn condition(&self, operand: &Bson) -> Parsed<Expression> {
        let (when, then, otherwise) = match operand {
            Bson::Array(parts) => match parts.as_slice() {
                [when, then, otherwise] => (when, then, otherwise),
                _ => return Err("$cond takes three arguments".to_owned()),
            },
            operand => {
                let members = members("$cond", operand, &["if", "then", "else"])?;
                let member = |name| members.get(name).ok_or_else(|| format!("$cond needs '{name}'"));
                (member("if")?, member("then")?, member("else")?)
            }
        };
        let branch = (self.expression(when)?, self.expression(then)?);
        Ok(Expression::Switch(vec![branch], Some(self.boxed(otherwise)?)))
    }

    fn switch(&self, operand: &Bson) -> Parsed<Expression> {
        let given = members("$switch", operand, &["branches", "default"])?;
        let Some(Bson::Array(branches)) = given.get("branches") else {
            return Err("$switch needs an array 'branches'".to_owned());
        };
        let branch = |branch: &Bson| {
            let branch = members("$switch", branch, &["case", "then"])?;
            match (branch.get("case"), branch.get("then")) {
                (Some(when), Some(then)) => Ok((self.expression(when)?, self.expression(then)?)),
                _ => Err("a branch of $switch needs 'case' and 'then'".to_owned()),
            }
        };
        let branches = branches.iter().map(branch).collect::<Parsed<_>>()?;
        Ok(Expression::Switch(branches, given.get("default").map(|value| self.boxed(value)).transpose()?))
    }

    fn bound(&self, operand: &Bson) -> Parsed<Expression> {
        let members = members("$let", operand, &["vars", "in"])?;
        let (Some(Bson::Document(named)), Some(inside)) = (members.get("vars"), members.get("in")) else {
            return Err("$let needs 'vars' and 'in'".to_owned());
        };
        let variable = |(name, value): (&String, &Bson)| Ok((name.clone(), self.expression(value)?));
        let variables = named.iter().map(variable).collect::<Parsed<_>>()?;
        Ok(Expression::Let(variables, self.knowing(named.keys().cloned()).boxed(inside)?))
    }

    fn filter(&self, operand: &Bson) -> Parsed<Expression> {
        let members = members("$filter", operand, &["input", "as", "cond", "limit"])?;
        let (Some(input), Some(condition)) = (members.get("input"), members.get("cond")) else {
            return Err("$filter needs 'input' and 'cond'".to_owned());
        };
        let name = element_name("$filter", members)?;
        let condition = self.knowing([name.clone()]).boxed(condition)?;
        let limit = members.get("limit").map(|limit| self.boxed(limit)).transpose()?;
        Ok(Expression::Filter(self.boxed(input)?, name, condition, limit))
    }

    fn map(&self, operand: &Bson) -> Parsed<Expression> {
        let members = members("$map", operand, &["input", "as", "in"])?;
        let (Some(input), Some(inside)) = (members.get("input"), members.get("in")) else {
            return Err("$map needs 'input' and 'in'".to_owned());
        };
        let name = element_name("$map", members)?;
        let inside = self.knowing([name.clone()]).boxed(inside)?;
        Ok(Expression::Map(self.boxed(input)?, name, inside))
    }

    fn reduce(&self, operand: &Bson) -> Parsed<Expression> {
        let members = members("$reduce", operand, &["input", "initialValue", "in"])?;
        let member = |name| members.get(name).ok_or_else(|| format!("$reduce needs '{name}'"));
        let inside = self.knowing(["this".to_owned(), "value".to_owned()]).boxed(member("in")?)?;
        Ok(Expression::Reduce(self.boxed(member("input")?)?, self.boxed(member("initialValue")?)?, inside))
    }
}

/// The members of an operand, all of which have to be known.
pub(in crate::data) fn members<'b>(name: &str, operand: &'b Bson, known: &[&str]) -> Parsed<&'b Document> {
    let Bson::Document(members) = operand else { return Err(format!("{name} takes an object")) };
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(format!("unrecognized parameter to {name}: '{unknown}'")),
        None => Ok(members),
    }
}

fn element_name(operator: &str, members: &Document) -> Parsed<String> {
    match members.get("as") {
        None => Ok("this".to_owned()),
        Some(Bson::String(name)) if !name.is_empty() => Ok(name.clone()),
        Some(_) => Err(format!("'as' of {operator} must be a name")),
    }
}
