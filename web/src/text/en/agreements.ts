import { count } from "./count";

export const agreements = {
  agreement: {
    list: "Agreements",
    none: "Your agency is a party to no agreement that you may read.",
    state: {
      proposed: "PROPOSED",
      in_force: "IN FORCE",
      suspended: "SUSPENDED",
      ended: "ENDED",
      pending: "NOT YET IN FORCE",
      unknown: "UNKNOWN",
    },
    title: "Agreement",
    parties: "Parties",
    until: "In force until",
    signatures: "Signatures",
    signed: (n: number, all: number): string => `${n} of ${all} signed`,
    founded: "founded with the node: needs no signatures",
    basis: "Legal basis",
    purposes: "Purposes",
    force: "In force",
    retention: "Retention",
    onward: "Handing on",
    version: (n: number): string => `version ${n}`,
    digest: "Digest that is signed",
    clauses: "Clauses in words",
    noClauses: "It has no clauses: nothing flows under it.",
    equivalences: "Equivalence of labels",
    history: "What happened",
    party: "Party",
    when: "When",
    who: "By",
    notSigned: "not signed",
    suspendedBy: (agency: string, reason: string): string => `suspended by ${agency}: ${reason}`,
    resumedBy: (agency: string): string => `${agency} consented to resume`,
    resumed: "in force again",
    signedBy: (agency: string): string => `signed by ${agency}`,
    resumeNeeds: (agencies: string): string =>
      `${agencies} consented to resume; one more party must.`,
    sign: {
      action: "Sign",
      title: "Sign this agreement for your agency?",
      text: (agency: string, title: string, version: number): string =>
        `You sign “${title}”, version ${version}, for ${agency}, as it stands in words on this page. When every party has signed it is in force, and what its clauses name flows at once.`,
      confirm: "Sign",
    },
    suspend: {
      action: "Suspend",
      title: "Suspend this agreement at once?",
      text: (title: string): string =>
        `Nothing flows under “${title}” from now on, to any party; what other parties read by it leaves their screens. Your agency can do this alone. It takes two parties to resume.`,
      reason: "Reason",
      confirm: "Suspend at once",
    },
    resume: {
      action: "Consent to resume",
      title: "Consent to resume this agreement?",
      text: (title: string): string =>
        `When a second party has consented too, “${title}” is in force again and what its clauses name flows at once.`,
      confirm: "Consent",
    },
    keep: "Leave it as it is",
    done: (dtg: string): string => `Accepted ${dtg}.`,
    replay: {
      title: "What would have flowed",
      text: "Replayed on the records that you may read, for readers who are cleared for them. Circles are as they are now.",
      days: "Records changed in the last",
      dayCount: (days: number): string => count(days, "day", "days"),
      ask: "Replay",
      asking: "Replaying…",
      starting: "Would newly reach",
      stopping: "Would no longer reach",
      nothing: "Nothing would change for the records that you may read.",
      looked: (n: number): string => `${count(n, "record", "records")} looked at.`,
      cut: (n: number): string => `Cut: only the newest ${n} records were looked at.`,
      suspended: "The agreement is suspended: nothing flows under it until it is resumed.",
      later: (dtg: string): string => `As the rules stand when it comes into force, ${dtg}.`,
      agency: "Agency",
      what: "What",
      records: "Records",
      kinds: {
        alert: ["alert", "alerts"],
        report: ["report", "reports"],
        entity: ["object", "objects"],
        declaration: ["declaration", "declarations"],
        operation: ["operation", "operations"],
        plan: ["plan", "plans"],
        circle: ["circle", "circles"],
        agreement: ["agreement", "agreements"],
        person: ["entry of the directory", "entries of the directory"],
        agency: ["agency", "agencies"],
        handover: ["handover", "handovers"],
        inquiry: ["inquiry", "inquiries"],
      } as Record<string, [string, string]>,
      number: (n: number, one: string, many: string): string => count(n, one, many),
      part: (n: number, of: number): string => `${n} of ${count(of, "portion", "portions")}`,
      more: (n: number): string => `and ${n} more`,
      untitled: "untitled",
    },
    draft: {
      action: "Draft the next version",
      title: (version: number): string => `Draft of version ${version}`,
      text: "Change up to which level each clause reaches, see what would have flowed, then propose it. Every party signs it before it is in force.",
      level: "Reaches up to",
      scheme: (scheme: string): string => `scheme ${scheme}`,
      drop: "Leave this clause out",
      propose: "Propose",
      leave: "Close the draft",
      same: "Nothing is changed yet.",
    },
    prose: {
      and: "and",
      or: "or",
      everybodyOf: (agency: string): string => `everybody of ${agency}`,
      inRole: (agency: string, roles: string): string => `${agency} in the role of ${roles}`,
      upTo: (level: string): string => `up to ${level} without compartment`,
      upToBut: (level: string, codes: string): string =>
        `up to ${level} with no compartment but ${codes}`,
      nothing: "nothing",
      exceptMarked: (all: string, codes: string): string => `${all}; nothing marked ${codes}`,
      existence: "learn that something exists, and nothing of its content, under ",
      span: (from: string, until: string): string => `from ${from} until ${until}`,
      noCourse: "no course is required",
      course: (codes: string): string => `the reader must have passed ${codes}`,
      may: "may",
      mayNever: "may never",
      covers: "This covers",
      spares: "Whatever other clauses permit, this spares only",
      sentence: (p: {
        span: string;
        grantees: string;
        may: string;
        learn: string;
        actions: string;
        grantors: string;
        bound: string;
        limits: string;
        purposes: string;
        training: string;
      }): string =>
        `${p.span}, ${p.grantees} ${p.may} ${p.learn}${p.actions} upon what originates with ` +
        `${p.grantors}. ${p.bound} ${p.limits}, for the purpose of ${p.purposes}; ${p.training}.`,
      retentionNone: "Without limit of time, a grantee keeps what it received.",
      retention: (days: number): string =>
        `A grantee erases what it received within ${days} days.`,
      onward: {
        forbidden: "Nothing is handed on.",
        with_consent: "Nothing is handed on without the originator’s consent.",
        among_parties: "What is handed on goes to parties, under their own clauses.",
      },
      is: (from: string, to: string): string => `${from} is ${to}`,
      rejects: (from: string): string => `${from} does not cross`,
      human: (from: string): string => `${from} is marked anew by a person`,
      with: (codes: string): string => ` with ${codes}`,
      table: (from: string, to: string): string => `${from} to ${to}`,
    },
  },
};
