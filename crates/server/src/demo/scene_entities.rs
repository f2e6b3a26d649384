//! Intelligence imports its holdings of STIX 2.1; the police read what their clause lets through,
//! and nothing that is marked TLP:RED.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use app::entities::{Table, Tally, job};
use app::kernel::{Fault, Reader};
use base::{Level, Marking, SchemeId, Token};
use serde::Deserialize;

use super::cast::Cast;
use super::record::{Handoff, Record};
use super::world::World;

/// The holdings of the invented world; none of it is of anybody real.
const HOLDINGS: &[u8] = include_bytes!("holdings.json");
/// LIMIT: bytes of a bundle that is given, unpacked.
const BUNDLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Who imports, who reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entities {
    seat: String,
    /// Whose agency has a clause.
    reader: String,
    /// Whose agency has none.
    other: String,
    /// The default.
    level: u8,
    /// What the levels of TLP become, from CLEAR to RED.
    levels: [u8; 5],
}

impl Entities {
    /// The seats that it names.
    pub fn seats(&self) -> [&String; 3] {
        [&self.seat, &self.reader, &self.other]
    }
}

/// Reads a bundle, packed by gzip when its name says so.
///
/// # Errors
/// When it cannot be read or unpacked, or is larger than 256 MiB.
pub fn read_bundle(file: &Path) -> Result<Vec<u8>> {
    let open = std::fs::File::open(file).with_context(|| format!("open `{}`", file.display()))?;
    let mut bytes = Vec::new();
    let read = if file.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(open).take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        open.take(BUNDLE_BYTES_MAX + 1).read_to_end(&mut bytes)
    };
    let read = read.with_context(|| format!("read `{}`", file.display()))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > BUNDLE_BYTES_MAX {
        bail!("`{}` has more than {BUNDLE_BYTES_MAX} bytes", file.display());
    }
    Ok(bytes)
}

/// Performs the scene.
///
/// # Errors
/// What an act was refused with that must not be.
pub fn perform(cast: &Cast, world: &World, record: &mut Record) -> Result<(), Fault> {
    let scene = &world.play.entities;
    let node = cast.node();
    let bytes = world.intel.as_deref().unwrap_or(HOLDINGS);
    let from = node.now();
    let scheme = SchemeId(Token::new("NAT").map_err(Fault::bug)?);
    let of = |level: u8| Marking { level: Level(level), ..Marking::default() };
    let [clear, green, amber, amber_strict, red] = scene.levels.map(of);
    let markings = BTreeMap::from([(scheme.clone(), of(scene.level))]);
    let table = Table { scheme, clear, green, amber, amber_strict, red };
    let job = job::plan(bytes, &markings, &table)?;
    let tally = job::perform(node, &cast.actor(&scene.seat)?, &job)?;
    record.handoffs.push(Handoff {
        what: format!("{} objects of STIX 2.1 imported", job.objects),
        due_s: None,
        at_s: 0.0,
        real_ms: node.now().ms_since(from),
    });
    let Tally { accepted, unchanged, older, held } = &tally;
    let aside: usize = held.values().sum();
    let what = format!(
        "of {} objects {accepted} are accepted, {unchanged} unchanged, {older} older, {aside} held",
        job.objects
    );
    record.expect(what, tally.objects() == job.objects);
    let again = job::perform(node, &cast.actor(&scene.seat)?, &job)?;
    record.expect("importing them again changes nothing", again.accepted + again.older == 0);
    let held = count(cast, &scene.seat)?;
    let shown = count(cast, &scene.reader)?;
    let what = format!("under their clause the police read {shown} of {held} entities");
    record.expect(what, shown > 0 && shown <= held);
    if world.intel.is_none() {
        record.expect("what is marked TLP:RED is not among them", shown < held);
    }
    let highest = highest(cast, &scene.reader)?;
    let red = scene.levels.last().copied().unwrap_or(0);
    let what = format!("the highest level among them is {highest}, below that of TLP:RED");
    record.expect(what, highest < red);
    record.expect("the fire service has no clause and reads none", count(cast, &scene.other)? == 0);
    Ok(())
}

fn count(cast: &Cast, seat: &str) -> Result<u64, Fault> {
    Ok(Reader::new(cast.node(), cast.actor(seat)?).list("entity", None, 1)?.total)
}

/// The highest level of any layer that the holder of a seat reads, in whatever record.
fn highest(cast: &Cast, seat: &str) -> Result<u8, Fault> {
    let reader = Reader::new(cast.node(), cast.actor(seat)?);
    let (mut highest, mut cursor) = (0, None);
    loop {
        let page = reader.list("entity", cursor.as_deref(), base::limit::PAGE_RECORDS)?;
        let layers = page.items.iter().flat_map(|item| &item.layers);
        let levels = layers.flat_map(|layer| layer.label.markings().values());
        highest = levels.map(|marking| marking.level.0).fold(highest, u8::max);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(highest);
        }
    }
}
