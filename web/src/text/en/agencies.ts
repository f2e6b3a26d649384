export const agencies = {
  agencies: {
    list: "Agencies",
    name: "Name",
    code: "Code",
    seatsHeld: "Seats held",
    people: "People",
    waiting: "Alerts waiting",
    none: "No agencies that you may read.",
    parent: "Part of",
    parts: "Its parts",
    partsNone: "none",
    seats: "Seats",
    agreements: "Agreements",
    alerts: "Alerts it has not answered",
    alertsNone: "none that you may read",
    own: "your agency",
  },
};
