//! What would have flowed: a draft replayed over the records that the asker may read.
//!
//! Two sets of rules are compared, both made of the agreements that the asker may read: as they are
//! in force, and as they would be when every party has signed the draft. The readers are described
//! ones, cleared for exactly what is asked about; circles are asked as they are now. So the answer
//! tells nothing of records, agreements or clearances that the asker may not know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::crypto::Hasher;
use base::{AgencyId, AgreementId, CircleId, Label, RecordId, Time, Token};
use policy::{Agreement, ClauseRef};
use serde::{Deserialize, Serialize};

use super::check;
use crate::kernel::access::AccessKind;
use crate::kernel::cells::CellNumber;
use crate::kernel::oversight::oversees;
use crate::kernel::policy::Policy;
use crate::kernel::question::{Answer, Asked};
use crate::kernel::reader::{Labelled, Reader, Rendition};
use crate::kernel::register::{Register, Signed, changed};
use crate::kernel::{Fault, why};

/// Records that one replay looks at.
pub const RECORDS_MAX: usize = 5_000;

/// Days back that a replay may go.
pub const DAYS_MAX: u16 = 366;

/// Records that are named for one agency and kind; the others are counted.
pub const NAMED_MAX: usize = 20;

const DAY_MS: i64 = 86_400_000;

/// What is asked: a draft, or an agreement that is proposed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default)]
    draft: Option<Box<Agreement>>,
    #[serde(default)]
    agreement: Option<AgreementId>,
    /// How many days back; from 1.
    days: u16,
}

/// What a draft would change about the records of the last days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replay {
    pub agreement: AgreementId,
    pub version: u32,
    /// Since when the records were changed that were looked at.
    pub since: Time,
    /// The time at which both sets of rules were asked: now, or the draft's beginning.
    pub at: Time,
    /// Whether that is the draft's beginning, which lies ahead.
    pub later: bool,
    /// How many records were looked at, all of them readable by the asker.
    pub records: u64,
    /// Whether there were more than the limit; the newest were looked at.
    pub cut: bool,
    /// Whether the agreement is suspended, so that nothing flows under it, signed or not.
    pub suspended: bool,
    /// What would newly reach an agency, and what would no longer.
    pub starting: Vec<Turn>,
    pub stopping: Vec<Turn>,
}

/// Records of one kind that turn for one agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    pub agency: AgencyId,
    pub kind: String,
    pub records: u64,
    /// The clauses that permit: of the draft for a beginning, of what is in force for an end.
    pub clauses: Vec<why::Cited>,
    /// The newest, as the asker reads them; at most [`NAMED_MAX`].
    pub named: Vec<Named>,
}

/// A record that turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    pub id: RecordId,
    pub agency: AgencyId,
    /// Absent when the record has none, or it was erased.
    pub title: Option<String>,
    /// The label and the portion mark of its base, where the title stands.
    pub label: Label,
    pub mark: String,
    /// How many of its layers turn, of those that the asker may read.
    pub layers: u32,
    pub of: u32,
}

/// Answers `POST /api/agreements/replay`.
///
/// # Errors
/// As [`find`].
pub fn answer(asked: &Asked<'_>) -> Result<Answer, Fault> {
    Answer::json(&find(asked)?)
}

/// Finds what would have flowed.
///
/// # Errors
/// As proposing the draft would be refused for its text; `absent` for an agreement that may not be
/// known; `days-out-of-range`.
pub fn find(asked: &Asked<'_>) -> Result<Replay, Fault> {
    let question: Question = asked.parse()?;
    if !(1..=DAYS_MAX).contains(&question.days) {
        let detail = format!("`days` is a number from 1 to {DAYS_MAX}");
        return Err(Fault::invalid("days-out-of-range", detail));
    }
    let reader = &asked.reader;
    let draft = match (question.draft, question.agreement) {
        (Some(draft), None) => *draft,
        (None, Some(id)) => proposed(reader, id)?,
        (Some(_), Some(_)) | (None, None) => {
            let detail = "question: send a `draft` or the id of an `agreement`";
            return Err(Fault::invalid("invalid-command", detail));
        }
    };
    let core = reader.core();
    check(&draft, reader.actor().agency, &core.register, core.policy.schemes())?;
    let since = asked.node.play_now().plus_ms(-DAY_MS * i64::from(question.days));
    replay(reader, &draft, since)
}

/// The newest version of an agreement of which the asker's agency is a party.
fn proposed(reader: &Reader<'_>, id: AgreementId) -> Result<Agreement, Fault> {
    if !reader.knows("agreement", RecordId(id.0))? {
        reader.denied(RecordId(id.0))?;
        return Err(Fault::absent());
    }
    let known = reader.core().register.agreements.get(&id).ok_or_else(Fault::absent)?;
    Ok(known.agreement.clone())
}

/// The rules that are compared.
struct Compared {
    register: Arc<Register>,
    before: Policy,
    after: Policy,
    at: Time,
    later: bool,
    suspended: bool,
    /// The agencies to which the draft or what it replaces gives.
    grantees: BTreeSet<AgencyId>,
    /// The kinds of record of which they speak.
    nouns: BTreeSet<String>,
}

impl Compared {
    fn new(reader: &Reader<'_>, draft: &Agreement) -> Result<Self, Fault> {
        let core = reader.core();
        let mut before = Register::clone(&core.register);
        for id in core.register.agreements.keys() {
            if !reader.knows("agreement", RecordId(id.0))? {
                before.agreements.remove(id);
            }
        }
        let mut after = before.clone();
        if let Some(known) = changed(&mut after.agreements, &draft.id) {
            known.in_force = Some(draft.clone());
        } else {
            after.agreements.insert(draft.id, Arc::new(signed(draft)));
        }
        let known = before.agreements.get(&draft.id);
        let old = known.and_then(|known| known.in_force.as_ref());
        let clauses = || old.into_iter().chain([draft]).flat_map(|text| &text.clauses);
        let grantees = clauses().flat_map(|clause| clause.grantees.iter()).map(|g| g.agency);
        let actions = clauses().flat_map(|clause| clause.actions.iter());
        let nouns = actions.filter_map(|action| action.as_str().strip_suffix(":read"));
        let (grantees, nouns) = (grantees.collect(), nouns.map(str::to_owned).collect());
        let suspended = known.is_some_and(|known| known.suspended);
        let (now, starts_at) = (reader.at(), draft.force.starts_at);
        let at = now.max(starts_at);
        Ok(Self {
            before: core.policy.as_of(&before, at)?,
            after: core.policy.as_of(&after, at)?,
            register: Arc::clone(&core.register),
            at,
            later: starts_at > now,
            suspended,
            grantees,
            nouns,
        })
    }
}

/// A draft as if every party had signed it.
fn signed(draft: &Agreement) -> Signed {
    Signed {
        agreement: draft.clone(),
        founded: false,
        signed_by: BTreeSet::new(),
        resumed_by: BTreeSet::new(),
        suspended: false,
        in_force: Some(draft.clone()),
    }
}

/// Whether an agency's readers read something, and under which clauses.
type Flow = Option<BTreeSet<ClauseRef>>;

/// What is known of one set of cells, for each agency: before and after.
type Flows = BTreeMap<AgencyId, (Flow, Flow)>;

struct Asking<'a> {
    reader: &'a Reader<'a>,
    compared: &'a Compared,
    /// LIMIT: one for each kind and set of cells that a layer needs, of at most [`RECORDS_MAX`]
    /// records.
    known: BTreeMap<(&'static str, BTreeSet<CellNumber>), Arc<Flows>>,
}

impl Asking<'_> {
    fn flows(
        &mut self,
        noun: &'static str,
        cells: BTreeSet<CellNumber>,
    ) -> Result<Arc<Flows>, Fault> {
        let key = (noun, cells);
        if let Some(known) = self.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.ask(noun, &key.1)?);
        self.known.insert(key, Arc::clone(&found));
        Ok(found)
    }

    fn ask(&self, noun: &'static str, cells: &BTreeSet<CellNumber>) -> Result<Flows, Fault> {
        let (cores, compared) = (&self.reader.core().cells, self.compared);
        let labels: Option<Vec<&Label>> =
            cells.iter().map(|cell| cores.label_of(*cell).map(|label| &**label)).collect();
        let labels = labels.ok_or_else(|| Fault::bug("a cell has no label"))?;
        let circles = cells.iter().filter_map(|cell| cores.row(*cell)).filter_map(|row| row.circle);
        let circles: Vec<CircleId> = circles.collect();
        let mut flows = Flows::new();
        if !circles.is_empty() && !self.is_own(&labels) {
            // Who else is in another agency's circle is that agency's matter.
            return Ok(flows);
        }
        let (none, purpose) = (BTreeSet::<Token>::new(), self.reader.actor().purpose);
        for agency in &compared.grantees {
            let inside = |circle: &CircleId| compared.register.circle_has(*circle, *agency);
            if !circles.iter().all(inside) {
                continue;
            }
            let flow = |policy: &Policy| -> Result<Flow, Fault> {
                let reach = policy.reach((*agency, &none), noun, &labels, purpose)?;
                Ok(reach.refused.is_none().then_some(reach.clauses))
            };
            flows.insert(*agency, (flow(&compared.before)?, flow(&compared.after)?));
        }
        Ok(flows)
    }

    fn is_own(&self, labels: &[&Label]) -> bool {
        let (core, actor) = (self.reader.core(), self.reader.actor());
        let own = |agency: &AgencyId| oversees(&core.register, actor, *agency);
        labels.iter().all(|label| label.originators().iter().all(own))
    }
}

/// What turns for one agency and kind, while it is counted.
#[derive(Default)]
struct Sum {
    records: u64,
    clauses: BTreeSet<ClauseRef>,
    /// The newest, with how many of how many layers turn.
    newest: Vec<(RecordId, u32, u32)>,
}

type Sums = BTreeMap<(AgencyId, &'static str), Sum>;

fn replay(reader: &Reader<'_>, draft: &Agreement, since: Time) -> Result<Replay, Fault> {
    let compared = Compared::new(reader, draft)?;
    let mut asking = Asking { reader, compared: &compared, known: BTreeMap::new() };
    let (mut starting, mut stopping) = (Sums::new(), Sums::new());
    let (found, cut) = newest(reader, &compared.nouns, since)?;
    for (noun, labelled) in &found {
        count(&mut asking, (noun, labelled), (&mut starting, &mut stopping))?;
    }
    let shown = shown(reader, &[&starting, &stopping], draft, since)?;
    Ok(Replay {
        agreement: draft.id,
        version: draft.version,
        since,
        at: compared.at,
        later: compared.later,
        records: found.len() as u64,
        cut,
        suspended: compared.suspended,
        starting: turns(reader, starting, &shown, Some(draft))?,
        stopping: turns(reader, stopping, &shown, None)?,
    })
}

/// A record that is looked at, with its kind.
type Looked = (&'static str, Labelled);

/// The newest records of some kinds, at most [`RECORDS_MAX`], and whether there are more.
fn newest(
    reader: &Reader<'_>,
    nouns: &BTreeSet<String>,
    since: Time,
) -> Result<(Vec<Looked>, bool), Fault> {
    let (mut newest, mut cut) = (Vec::new(), false);
    for noun in reader.nouns().filter(|noun| nouns.contains(*noun)) {
        let (found, more) = reader.since(noun, since, RECORDS_MAX)?;
        newest.extend(found.into_iter().map(|labelled| (noun, labelled)));
        cut |= more;
    }
    // Each kind is in its order already; the sort keeps it among those of one time.
    newest.sort_by_key(|(_, labelled)| std::cmp::Reverse(labelled.changed_at()));
    cut |= newest.len() > RECORDS_MAX;
    newest.truncate(RECORDS_MAX);
    Ok((newest, cut))
}

fn count(
    asking: &mut Asking<'_>,
    (noun, labelled): (&'static str, &Labelled),
    (starting, stopping): (&mut Sums, &mut Sums),
) -> Result<(), Fault> {
    let layers = labelled.gates();
    let of = u32::try_from(layers.len()).unwrap_or(u32::MAX);
    let mut starts: BTreeMap<AgencyId, (u32, BTreeSet<ClauseRef>)> = BTreeMap::new();
    let mut stops = starts.clone();
    for cells in layers {
        for (agency, flow) in asking.flows(noun, cells)?.iter() {
            let (turn, clauses) = match flow {
                (None, Some(clauses)) => (&mut starts, clauses),
                (Some(clauses), None) => (&mut stops, clauses),
                (None, None) | (Some(_), Some(_)) => continue,
            };
            let turn = turn.entry(*agency).or_default();
            turn.0 += 1;
            turn.1.extend(clauses);
        }
    }
    for (turned, sums) in [(starts, starting), (stops, stopping)] {
        for (agency, (layers, clauses)) in turned {
            let sum = sums.entry((agency, noun)).or_default();
            sum.records += 1;
            sum.clauses.extend(clauses);
            if sum.newest.len() < NAMED_MAX {
                sum.newest.push((labelled.record(), layers, of));
            }
        }
    }
    Ok(())
}

/// Opens the records that are named, each once, and notes the reading before anything leaves.
fn shown(
    reader: &Reader<'_>,
    sums: &[&Sums],
    draft: &Agreement,
    since: Time,
) -> Result<BTreeMap<RecordId, Rendition>, Fault> {
    let mut shown = BTreeMap::new();
    for ((_, noun), sum) in sums.iter().flat_map(|sums| sums.iter()) {
        for (id, _, _) in &sum.newest {
            if !shown.contains_key(id)
                && let Some(rendition) = reader.find(noun, *id)?
            {
                shown.insert(*id, rendition);
            }
        }
    }
    let query = Hasher::new("muster/replay-query/v1").part(&draft.digest().0);
    let query = query.part(&since.ms().to_be_bytes()).finish();
    let renditions: Vec<Rendition> = shown.values().cloned().collect();
    reader.note(AccessKind::Listed, &renditions, Some(query))?;
    Ok(shown)
}

fn turns(
    reader: &Reader<'_>,
    sums: Sums,
    shown: &BTreeMap<RecordId, Rendition>,
    draft: Option<&Agreement>,
) -> Result<Vec<Turn>, Fault> {
    let mut turns = Vec::with_capacity(sums.len());
    for ((agency, kind), sum) in sums {
        let named = sum.newest.iter().filter_map(|(id, layers, of)| {
            let rendition = shown.get(id)?;
            let base = rendition.layers.first()?;
            let text = |field: &str| base.body.get(field)?.as_str().map(str::to_owned);
            Some(Named {
                id: *id,
                agency: rendition.agency,
                title: text("title").or_else(|| text("name")),
                label: base.label.clone(),
                mark: base.mark.clone(),
                layers: *layers,
                of: *of,
            })
        });
        let named = named.collect();
        let clauses = cited(reader, sum.clauses, draft)?;
        turns.push(Turn { agency, kind: kind.to_owned(), records: sum.records, clauses, named });
    }
    Ok(turns)
}

/// The asker knows the text of a draft, whether or not it was proposed.
fn cited(
    reader: &Reader<'_>,
    clauses: BTreeSet<ClauseRef>,
    draft: Option<&Agreement>,
) -> Result<Vec<why::Cited>, Fault> {
    let own = |clause: &ClauseRef| draft.is_some_and(|draft| draft.id == clause.agreement);
    let (of_draft, others): (BTreeSet<_>, BTreeSet<_>) = clauses.into_iter().partition(own);
    let mut told: Vec<why::Cited> = of_draft.into_iter().map(why::Cited::from).collect();
    told.extend(why::cited(reader, others)?.0);
    Ok(told)
}
