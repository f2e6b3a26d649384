//! Roster: given two agencies, when somebody acts, then exactly this follows.

use app::kernel::{Done, Fault};
use serde_json::json;
use testkit::world::{Being, marking};
use testkit::{Who, World};

const DESK: Being<'static> = Being { level: 3, compartments: &[], roles: &["DUTY"] };

fn open(world: &World, who: Who) -> Result<Done, Fault> {
    let command = json!({ "do": "open", "title": "First", "markings": marking(2, &[]) });
    world.act(who, "roster:open", &command)
}

#[test]
fn what_an_agency_opens_is_read_by_its_own_people_only() {
    let world = World::new();
    let (pol, fir) = (world.agency("POL"), world.agency("FIRE"));
    let (police, fire) = (world.person(pol, &DESK), world.person(fir, &DESK));
    let opened = open(&world, police).expect("opened").record;
    let seen = world.get(police, "roster", opened).expect("one's own");
    assert_eq!(seen.state.as_deref(), Some("open"));
    assert_eq!(seen.layers[0].body["title"], "First");
    let fault = world.get(fire, "roster", opened).expect_err("no clause, no flow");
    assert_eq!(fault.code.slug, "absent");
    assert_eq!(world.list(fire, "roster").total, 0);
}

#[test]
fn only_a_desk_opens() {
    let world = World::new();
    let agency = world.agency("POL");
    let analyst = world.person(agency, &Being { roles: &["ANALYST"], ..DESK });
    assert_eq!(open(&world, analyst).expect_err("no desk").code.slug, "denied");
    assert_eq!(world.list(analyst, "roster").total, 0);
}
