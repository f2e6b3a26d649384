//! The scene of holdings: the intelligence service imports a bundle of STIX 2.1, and partners read
//! what a clause lets them read of it.

use app::entities::{Table, job};
use app::kernel::{Fault, Reader};
use base::{Label, Marking, SchemeId, Token};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::Cast;
use super::founding::marking;
use super::record::{Handoff, Record};
use super::world::World;

/// The section `holdings` of `play.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holdings {
    seat: String,
    /// The level of what bears no marking.
    unmarked: u8,
    /// The levels of CLEAR, GREEN, AMBER, AMBER+STRICT and RED.
    levels: [u8; 5],
    /// Whose desk reads what its clause allows, and nothing above `reads_to`.
    reader: String,
    reads_to: u8,
}

impl Holdings {
    /// The seats that the scene names.
    pub fn seats(&self) -> impl Iterator<Item = &String> {
        [&self.seat, &self.reader].into_iter()
    }
}

/// What is imported when nobody gives a bundle.
pub const BUNDLE: &[u8] = include_bytes!("holdings.json");

/// Performs the scene.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(cast: &Cast, world: &World, record: &mut Record) -> Result<(), Fault> {
    let holdings = &world.play.holdings;
    let began = cast.node().now();
    let actor = cast.actor(&holdings.seat)?;
    let markings = serde_json::from_value(level(holdings.unmarked)).map_err(Fault::bug)?;
    let unmarked = Label::new(markings, [actor.agency].into(), actor.play).map_err(Fault::bug)?;
    let markings = unmarked.markings().clone();
    let job = job::plan(world.bundle(), &markings, &table(holdings)?, &unmarked)?;
    let (mut written, mut unchanged) = (0, 0);
    for act in &job.acts {
        let mut command = serde_json::to_value(act).map_err(Fault::bug)?;
        if let Value::Object(fields) = &mut command {
            fields.insert("do".to_owned(), json!("import"));
        }
        match cast.act_as(actor.clone(), "entity:import", &command) {
            Ok(_) => written += act.objects.len(),
            // A play that is performed again on the same data finds its holdings there.
            Err(fault) if fault.code.slug == "nothing-to-do" => unchanged += act.objects.len(),
            Err(fault) => return Err(fault),
        }
    }
    let refused: usize = job.refused.values().sum();
    record.handoffs.push(Handoff {
        what: format!("holdings imported: {} objects", job.taken),
        due_s: None,
        at_s: 0.0,
        real_ms: cast.node().now().ms_since(began),
    });
    let counted = format!(
        "every object of the holdings is imported or refused with a reason: {} and {refused}",
        job.taken
    );
    record.expect(
        counted,
        written + unchanged == job.taken && job.definitions + job.taken + refused == job.objects,
    );
    partner(cast, holdings, record)
}

/// What a partner's desk reads of them.
fn partner(cast: &Cast, holdings: &Holdings, record: &mut Record) -> Result<(), Fault> {
    let total = |seat: &str| -> Result<u64, Fault> {
        Ok(Reader::new(cast.node(), cast.actor(seat)?).list("entity", None, 1)?.total)
    };
    let (all, some) = (total(&holdings.seat)?, total(&holdings.reader)?);
    let page = Reader::new(cast.node(), cast.actor(&holdings.reader)?).list("entity", None, 200)?;
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let allowed = |label: &Label| {
        label.markings().get(&scheme).is_some_and(|m| m.level.0 <= holdings.reads_to)
    };
    let layers = page.items.iter().flat_map(|item| &item.layers);
    let held = some > 0 && some < all && layers.into_iter().all(|layer| allowed(&layer.label));
    record.expect(
        format!("a partner's desk reads {some} of {all} holdings, as its clause allows"),
        held,
    );
    Ok(())
}

fn level(level: u8) -> Value {
    marking(level, &std::collections::BTreeSet::new())
}

fn table(holdings: &Holdings) -> Result<Table, Fault> {
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let [clear, green, amber, amber_strict, red] =
        holdings.levels.map(|level| Marking { level: base::Level(level), ..Marking::default() });
    Ok(Table { scheme, clear, green, amber, amber_strict, red })
}
