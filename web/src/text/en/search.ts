import { count } from "./count";

export const search = {
  search: {
    title: "Search",
    label: "Search everything that you may read",
    hint: "Words, “a phrase”, kind:report, from:POLICE",
    how: "Words of any record that you may read; a phrase in quotation marks. kind:, from:, after: and before: narrow it.",
    total: (n: number): string => (n === 0 ? "Nothing that you may read has these words." : count(n, "record", "records")),
    behind: "What was written last is not searched yet.",
    all: "All kinds",
    more: "Show more",
    kinds: {
      alert: "Alert",
      report: "Report",
      entity: "Entity",
      operation: "Operation",
      declaration: "Declaration",
      plan: "Plan",
      agreement: "Agreement",
      person: "Person or seat",
      agency: "Agency",
      circle: "Circle",
      handover: "Handover",
      inquiry: "Inquiry",
      erasure: "Erasure",
      spillage: "Raised label",
      credential: "Sign-in",
      webhook: "Webhook",
    } as Record<string, string>,
  },
};
