export const spillages = {
  spillage: {
    action: "Raise its label",
    title: "Raise the label of this record",
    text: "At once and backward: every version, at any time. Whoever may not read it under the new label loses it from every open screen; you too, if you are not cleared for it. It is never lowered here.",
    what: "What is raised",
    whole: "the whole record, with what is added to it later",
    part: "only the part marked",
    to: "Raised to, joined with the label that it has",
    who: "Who keeps it",
    all: "everybody who may read it under the new label",
    only: "of those, my agency and only:",
    reason: "Reason, as a code or a few words; never what it says",
    confirm: "Raise it now",
    leave: "Leave it as it is",
  },
};
