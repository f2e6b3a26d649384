//! Routes as data: one table gives the router, the OpenAPI document and the tests of every exit.
//!
//! INVARIANT: every route has exactly one gate: an action, a kind of record to read, a session, or
//! a reason why it is public.

use super::capability::Deciding;
use super::fault::Fault;

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

/// A question about what policy would say: it writes nothing and decides as an act would.
pub type Ask = fn(&[u8], &mut Deciding<'_>) -> Result<serde_json::Value, Fault>;

/// What answers a question; the same one when it is the same function.
#[derive(Clone, Copy, Debug)]
pub struct Question(pub Ask);

impl PartialEq for Question {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Question {}

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
    /// A question under the action's gate.
    Question(Question),
    /// Something of the kernel's own, by name.
    Kernel(&'static str),
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

    /// A question: whoever may do the action may ask it.
    pub const fn question(
        path: &'static str,
        action: &'static str,
        ask: Ask,
        summary: &'static str,
    ) -> Self {
        let serves = Serves::Question(Question(ask));
        Self { method: Method::Post, path, gate: Gate::Action(action), serves, summary }
    }
}
