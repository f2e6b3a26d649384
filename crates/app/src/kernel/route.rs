//! Routes as data: one table gives the router, the OpenAPI document and the tests of every exit.
//!
//! INVARIANT: every route has exactly one gate: an action, a kind of record to read, a session, or
//! a reason why it is public.

use super::capability::Deciding;
use super::fault::Fault;
use super::question::Question;

/// What a caller must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// An act: policy decides about this action.
    Action(&'static str),
    /// Reading records of this kind: policy decides about their cells.
    Reads(&'static str),
    /// Any signed-in person, about themselves only.
    SignedIn,
    /// Nobody is asked, for this reason.
    Public(&'static str),
}

/// The HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// A preview of what policy would say: it writes nothing and decides as an act would.
pub type Ask = fn(&[u8], &mut Deciding<'_>) -> Result<serde_json::Value, Fault>;

/// What answers a preview; the same one when it is the same function.
#[derive(Clone, Copy, Debug)]
pub struct Preview(pub Ask);

impl PartialEq for Preview {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Preview {}

/// What the kernel does for the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    List,
    Record,
    /// A command; `tag` is its name in the capability, `id` the field that the path fills.
    Command {
        tag: &'static str,
        id: Option<&'static str>,
    },
    /// What an act would meet, under the action's gate.
    Preview(Preview),
    /// Something of the kernel's own, by name.
    Kernel(&'static str),
    /// An answer of another shape, by a function.
    Question(Question),
    /// The same, asked with a body of up to [`base::limit::ATTACHMENT_BYTES`].
    Upload(Question),
}

/// One route below `/api`.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    pub gate: Gate,
    pub serves: Serves,
    pub summary: &'static str,
}

impl Route {
    /// A list of records.
    pub const fn list(path: &'static str, noun: &'static str, summary: &'static str) -> Self {
        let (method, gate, serves) = (Method::Get, Gate::Reads(noun), Serves::List);
        Self { method, path, gate, serves, summary }
    }

    /// One record.
    pub const fn get(path: &'static str, noun: &'static str, summary: &'static str) -> Self {
        let (method, gate, serves) = (Method::Get, Gate::Reads(noun), Serves::Record);
        Self { method, path, gate, serves, summary }
    }

    /// A question behind an action.
    pub const fn question(
        path: &'static str,
        action: &'static str,
        question: Question,
        summary: &'static str,
    ) -> Self {
        let (method, gate) = (Method::Get, Gate::Action(action));
        Self { method, path, gate, serves: Serves::Question(question), summary }
    }

    /// A question behind an action that is asked with a body, and writes nothing but its reading.
    pub const fn asking(
        path: &'static str,
        action: &'static str,
        question: Question,
        summary: &'static str,
    ) -> Self {
        Self { method: Method::Post, ..Self::question(path, action, question, summary) }
    }

    /// Why a record of a kind may be read, by whoever may read it.
    pub const fn why(path: &'static str, noun: &'static str, question: Question) -> Self {
        let (method, gate) = (Method::Get, Gate::Reads(noun));
        let summary = "why you may read it: circle, clauses and rules of each layer";
        Self { method, path, gate, serves: Serves::Question(question), summary }
    }

    /// A command: its action, then its tag and the field that the path fills.
    pub const fn command(
        path: &'static str,
        action: &'static str,
        command: (&'static str, Option<&'static str>),
        summary: &'static str,
    ) -> Self {
        let (tag, id) = command;
        let (method, gate) = (Method::Post, Gate::Action(action));
        Self { method, path, gate, serves: Serves::Command { tag, id }, summary }
    }

    /// A preview: whoever may do the action may ask for it.
    pub const fn preview(
        path: &'static str,
        action: &'static str,
        ask: Ask,
        summary: &'static str,
    ) -> Self {
        let serves = Serves::Preview(Preview(ask));
        Self { method: Method::Post, path, gate: Gate::Action(action), serves, summary }
    }
}
