export const why = {
  why: {
    title: "Why do I see this?",
    titleOwn: "Who reads this, and why?",
    cleared: "Your clearance covers this mark.",
    clearedIn: "Your clearance covers this mark, and you belong to its circle.",
    ownRule: "It originates in your agency’s own line, which needs no clause.",
    withheld: "A clause of an agreement that you may not read also lets it through.",
    agreement: "Agreement",
    clause: (clause: string, version: number): string => `clause ${clause}, version ${version}`,
    who: "Who else, and why not?",
    choose: "Choose an agency",
    reads: "READS",
    readsNot: "DOES NOT READ",
    ifCleared: (agency: string): string => `whoever of ${agency} is cleared for this mark`,
    ifNeeds: (agency: string): string =>
      `whoever of ${agency} is cleared for this mark and has what stands below`,
    needs: {
      roles: (codes: string): string => `In the role of ${codes}.`,
      training: (codes: string): string => `After the course ${codes}.`,
      releasable: (codes: string): string => `Of one of those it is releasable to: ${codes}.`,
    },
    short: {
      scheme: "scheme",
      level: "level",
      compartment: "compartment",
      audience: "releasability",
      play: "exercise",
    },
    obstacle: {
      inactive: "The person is not active any more.",
      clearance: (what: string): string => `The clearance does not cover this mark: ${what}.`,
      clause: (action: string): string =>
        `No clause with “${action}” lets it through. What comes nearest:`,
      noClause: (who: string, action: string): string =>
        `No clause with “${action}” goes from the originator to ${who}. Your agreements with it:`,
      noAgreement: (who: string, action: string): string =>
        `There is no agreement with ${who}: a clause with “${action}” is missing.`,
      forbidden: "A clause forbids it, whatever others permit.",
      role: "It needs a role or a course that the person does not have.",
      circle: (who: string): string => `${who} does not belong to its circle.`,
      rules: "No rule lets it through.",
    },
    lacks: {
      clause: (action: string, agency: string): string =>
        `It has no clause with “${action}” from the originator to ${agency}.`,
      signature: "Not every party has signed this version.",
      suspended: "It is suspended.",
      purpose: "It is not for this purpose.",
      not_yet: (dtg: string): string => `It is in force from ${dtg} only.`,
      ended: (dtg: string): string => `It has ended: ${dtg}.`,
      scheme: (scheme: string): string => `It does not reach marks of the scheme ${scheme}.`,
      level: (level: string): string => `It ends at ${level}.`,
      compartments: (codes: string): string => `It does not reach the compartment ${codes}.`,
      caveats: (codes: string): string => `It leaves out what is marked ${codes}.`,
    },
  },
};
